// What this browser remembers between visits. A browser that forbids it forgets, and nothing else changes.

export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(`albumen-${name}`)
  } catch {
    return null
  }
}

export function remember(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`albumen-${name}`)
    else localStorage.setItem(`albumen-${name}`, value)
  } catch {
    // forgotten
  }
}

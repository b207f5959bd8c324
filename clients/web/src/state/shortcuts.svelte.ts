import { untrack } from 'svelte'

/** A key that does something on the view that is shown; the help sheet lists it. */
export interface Shortcut {
  /** As KeyboardEvent.key, a single letter in lower case. */
  key: string
  label: () => string
  /** What is done; none for a key that the focused element handles itself and that is listed only. */
  run?: () => void
}

const TYPING = 'input, textarea, select, [contenteditable]'

/** The keys of what is on the page now. Views add theirs while they are shown. */
export class Shortcuts {
  #layers: readonly (readonly Shortcut[])[] = $state.raw([])

  /** Adds keys; the later ones win. Returns what takes them away again, as onMount wants it. */
  add(shortcuts: readonly Shortcut[]): () => void {
    this.#layers = [...untrack(() => this.#layers), shortcuts] // an effect that adds must not run again for it
    return () => {
      this.#layers = this.#layers.filter((layer) => layer !== shortcuts)
    }
  }

  /** Every key that works now, once. */
  get all(): readonly Shortcut[] {
    const found = new Map<string, Shortcut>()
    for (const shortcut of this.#layers.flat()) found.set(shortcut.key, shortcut)
    return [...found.values()]
  }

  /** Does what the pressed key says, unless a person is typing. */
  press(event: KeyboardEvent): void {
    const target = event.target as Element | null
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || target?.closest?.(TYPING)) return
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
    const run = this.all.find((shortcut) => shortcut.key === key)?.run
    if (!run) return
    event.preventDefault()
    run()
  }
}

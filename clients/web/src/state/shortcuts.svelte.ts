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

/** The key that was meant: of other alphabets the letter that lies there on a Latin layout, and Delete where Macs have Backspace. */
export function keyOf({ key, code }: Pick<KeyboardEvent, 'key' | 'code'>): string {
  if (key === 'Backspace') return 'Delete'
  if (key.length !== 1) return key
  const isForeign = key > '\x7f' && code.startsWith('Key')
  return isForeign ? code.slice('Key'.length).toLowerCase() : key.toLowerCase()
}

interface Layer {
  shortcuts: readonly Shortcut[]
  /** What they are for, such as “One photo”; null for those that work everywhere. */
  title: (() => string) | null
}

/** What the help sheet tells of one view: what can be done, and the keys that do it. */
export interface KeyGroup {
  title: string | null
  rows: readonly { label: string; keys: readonly string[] }[]
}

/** The keys of what is on the page now. Views add theirs while they are shown. */
export class Shortcuts {
  #layers: readonly Layer[] = $state.raw([])

  /** Adds keys; the later ones win. Returns what takes them away again, as onMount wants it. */
  add(shortcuts: readonly Shortcut[], title: (() => string) | null = null): () => void {
    const added = { shortcuts, title }
    this.#layers = [...untrack(() => this.#layers), added] // an effect that adds must not run again for it
    return () => {
      this.#layers = this.#layers.filter((layer) => layer !== added)
    }
  }

  /** Every key that works now, once. */
  get all(): readonly Shortcut[] {
    return [...this.#winners.values()]
  }

  /** The same by view: what is uppermost on the page comes first, what works everywhere last. */
  get groups(): readonly KeyGroup[] {
    const titleOf = ({ title }: Layer): string | null => title?.() ?? null
    const titles = [...new Set(this.#layers.map(titleOf).toReversed())]
    return [...titles.filter((title) => title !== null), null]
      .map((title) => ({ title, rows: this.#rowsOf(this.#layers.filter((layer) => titleOf(layer) === title)) }))
      .filter(({ rows }) => rows.length > 0)
  }

  get #winners(): Map<string, Shortcut> {
    const found = new Map<string, Shortcut>()
    for (const shortcut of this.#layers.flatMap(({ shortcuts }) => shortcuts)) found.set(shortcut.key, shortcut)
    return found
  }

  /** One row per thing that can be done; keys that a view above has taken are left out. */
  #rowsOf(layers: readonly Layer[]): KeyGroup['rows'] {
    const winners = this.#winners
    const own = layers.flatMap(({ shortcuts }) => shortcuts).filter((shortcut) => winners.get(shortcut.key) === shortcut)
    return [...new Set(own.map(({ label }) => label()))].map((label) => ({
      label,
      keys: own.filter((shortcut) => shortcut.label() === label).map(({ key }) => key),
    }))
  }

  /** Does what the pressed key says, unless a person is typing. */
  press(event: KeyboardEvent): void {
    const target = event.target as Element | null
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || target?.closest?.(TYPING)) return
    const key = keyOf(event)
    const run = this.all.find((shortcut) => shortcut.key === key)?.run
    if (!run) return
    event.preventDefault()
    run()
  }
}

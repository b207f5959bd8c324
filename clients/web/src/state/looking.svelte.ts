import type { Gallery } from './gallery.svelte.ts'
import { Terrain, type Anchor, type Measures } from './terrain.ts'
import type { Span, Spot } from './sections.ts'

const REM = 16
/** What is drawn beyond the edges of the window, in parts of its height. */
const DRAWN_BEYOND = 0.5
/** Photos are loaded further on. */
const LOADED_BEYOND = 1.5
/** The drawn part follows in such steps, so that most events of scrolling change nothing. */
const STEP = 128
const USUAL_RATIO = 1.4

/** What a grid of some width looks like. Lengths are CSS pixels; `rem` is the root's font size. */
export type MeasuresFor = (width: number, rem?: number) => Omit<Measures, 'ratio'>

export const bareMeasures: MeasuresFor = (width, rem = REM) => {
  const row = width < 40 * rem ? 7.25 : width < 70 * rem ? 10.5 : 13
  return { width, row: row * rem, gap: 0.25 * rem, caption: 0, heading: (width < 40 * rem ? 3.25 : 4) * rem }
}

/** Words stand below each photo, so that none may be much narrower than they are. */
export const captionedMeasures: MeasuresFor = (width, rem = REM) => {
  const bare = bareMeasures(width, rem)
  return { ...bare, row: Math.max(bare.row, 9 * rem), gap: 0.5 * rem, caption: 2.75 * rem }
}

/** The window upon a gallery: what is in view, what has to be drawn and loaded, and what must not move. */
export class Looking {
  /** The upper edge of the window, from the beginning of the grid on. */
  y = $state(0)
  /** The height of the window. */
  height = $state(0)
  #measures: Omit<Measures, 'ratio'> = $state.raw(bareMeasures(0))
  #anchor: Anchor | null = null
  /** At the end of the list the window stays there. */
  #isAtEnd = false
  #last: Terrain | null = null
  readonly #gallery: Gallery
  readonly #measuresFor: MeasuresFor

  constructor(gallery: Gallery, measuresFor: MeasuresFor = bareMeasures) {
    this.#gallery = gallery
    this.#measuresFor = measuresFor
  }

  /** The ratio of photos that are not loaded is taken to be that of the newest ones. */
  readonly ratio: number = $derived.by(() => {
    const known = this.#gallery.sections.find(({ ratios }) => ratios)?.ratios ?? []
    const sum = known.reduce((total, ratio) => total + ratio, 0)
    return known.length === 0 ? USUAL_RATIO : Math.round((sum / known.length) * 10) / 10
  })

  readonly terrain: Terrain = $derived.by(() => {
    this.#last = new Terrain(this.#gallery.sections, { ...this.#measures, ratio: this.ratio }, this.#last)
    return this.#last
  })

  /** Heights between which rows are drawn. */
  readonly from: number = $derived(Math.floor((this.y - this.height * DRAWN_BEYOND) / STEP) * STEP)
  readonly to: number = $derived(Math.ceil((this.y + this.height * (1 + DRAWN_BEYOND)) / STEP) * STEP)

  /** Sections of which something is drawn. */
  readonly drawn: Span = $derived(this.terrain.span(this.from, this.to))

  /** Sections whose photos are wanted. */
  readonly wanted: Span = $derived.by(() => {
    const beyond = (this.to - this.from) * (LOADED_BEYOND - DRAWN_BEYOND)
    return this.terrain.span(this.from - beyond, this.to + beyond)
  })

  /** How far the window can go down. */
  get lowest(): number {
    return Math.max(0, this.terrain.height - this.height)
  }

  resized(width: number, rem: number): void {
    if (width !== this.#measures.width) this.#measures = this.#measuresFor(width, rem)
  }

  scrolled(y: number): void {
    this.y = y
    this.#anchor = y > 0 ? this.terrain.anchorAt(y) : null
    this.#isAtEnd = this.lowest > 0 && y >= this.lowest - 1
  }

  /** What stands at the upper edge of the window; null at the beginning. */
  get anchor(): Anchor | null {
    return this.#anchor
  }

  /** Lets the window stay where it is, whatever comes; for a list that takes the place of another. */
  release(): void {
    this.#anchor = null
    this.#isAtEnd = false
  }

  /** Where the window has to go, as what it looks at has moved; null when it has not. */
  settled(): number | null {
    if (!this.#anchor) return null
    const y = this.#isAtEnd ? Math.max(this.y, this.lowest) : this.placeOf(this.#anchor)
    return Math.abs(y - this.y) < 1 ? null : y
  }

  placeOf(anchor: Anchor): number {
    return this.terrain.yOf(anchor, anchor.id === null ? null : this.#gallery.spotOf(anchor.id))
  }

  /** Where the window has to go to show a photo whole, in its middle if that is far; null when it does. */
  revealing(spot: Spot): number | null {
    const row = this.terrain.rowOf(spot)
    if (!row) return null
    const { gap, caption, heading } = this.terrain.measures
    if (Math.abs(row.y - this.y) > 2 * this.height) return Math.max(0, row.y - (this.height - row.height) / 2)
    if (row.y - gap < this.y) return row.y - (row.first === 0 ? heading : gap)
    const end = row.y + row.height + caption + gap
    return end > this.y + this.height ? end - this.height : null
  }
}

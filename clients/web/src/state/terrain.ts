// Where every section of a long list lies on the page, before its photos are known. Pure; lengths are CSS pixels.

import { estimated, justified, type Room, type Row, type Rows } from './justify.ts'
import { isDayEnd, isDayStart, type Section, type Span, type Spot } from './sections.ts'

export type Direction = 'left' | 'right' | 'up' | 'down'

export interface Measures extends Room {
  /** The height of a day's heading, with the space above it. */
  heading: number
  /** The mean of width to height that photos are taken to have before they are known. */
  ratio: number
}

/** A place that is kept while things around it grow: a photo's row, or a part of a section that is not loaded. */
export interface Anchor {
  /** The photo; null where none is known. */
  id: string | null
  /** The number of the section, and the part of it, for when the photo is not found. */
  section: number
  part: number
  /** Pixels from the top of the photo's row down to the edge of the window. */
  offset: number
}

/** Layouts of sections, which never change; a new width makes new ones. */
type Known = WeakMap<Section, { isEnd: boolean; rows: Rows }>

/** The page's scroll area: where sections and rows lie, and what lies at a place. */
export class Terrain {
  readonly sections: readonly Section[]
  readonly measures: Measures
  /** Where each section begins, its heading included, and where the last one ends. */
  readonly tops: readonly number[]
  /** How many photos lie before each section, and before the end. */
  readonly numbers: readonly number[]
  readonly #known: Known

  constructor(sections: readonly Section[], measures: Measures, previous: Terrain | null = null) {
    this.sections = sections
    this.measures = measures
    this.#known = previous && isSame(previous.measures, measures) ? previous.#known : new WeakMap()
    const tops = [0]
    const numbers = [0]
    for (const [index, section] of sections.entries()) {
      tops.push((tops[index] ?? 0) + this.#heightOf(section, index))
      numbers.push((numbers[index] ?? 0) + section.count)
    }
    this.tops = tops
    this.numbers = numbers
  }

  get height(): number {
    return this.tops.at(-1) ?? 0
  }

  /** The rows of a section, from below its heading on; null while the ratios of its photos are unknown. */
  rowsOf(index: number): Rows | null {
    const section = this.sections[index]
    if (!section?.ratios) return null
    const isEnd = isDayEnd(this.sections, index)
    const known = this.#known.get(section)
    if (known?.isEnd === isEnd) return known.rows
    const rows = justified(section.ratios, this.measures, { isEnd })
    this.#known.set(section, { isEnd, rows })
    return rows
  }

  /** Where the rows of a section begin. */
  rowsTop(index: number): number {
    return (this.tops[index] ?? 0) + (isDayStart(this.sections, index) ? this.measures.heading : 0)
  }

  /** The section at a height of the page: the nearest one for heights outside. */
  sectionAt(y: number): number {
    let low = 0
    let high = this.sections.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.tops[middle] ?? 0) <= y) low = middle
      else high = middle - 1
    }
    return low
  }

  /** The sections that lie between two heights. */
  span(from: number, to: number): Span {
    return { first: this.sectionAt(from), last: this.sectionAt(to) }
  }

  /** The rows of a section that lie between two heights of the page, at least in part. */
  rowsBetween(index: number, from: number, to: number): readonly Row[] {
    const top = this.rowsTop(index)
    return this.rowsOf(index)?.rows.filter((row) => top + row.top + row.height > from && top + row.top < to) ?? []
  }

  /** The row of a photo, with its place on the page. */
  rowOf({ section, index }: Spot): (Row & { y: number }) | null {
    const row = this.rowsOf(section)?.rows.findLast(({ first }) => first <= index)
    return row ? { ...row, y: this.rowsTop(section) + row.top } : null
  }

  /** The number of the photo that stands at a height, about; the first one is 1. */
  numberAt(y: number): number {
    const { section, part } = this.anchorAt(y)
    const count = this.sections[section]?.count ?? 0
    return (this.numbers[section] ?? 0) + Math.min(count, Math.floor(Math.max(0, part) * count) + 1)
  }

  /** The place of the photo at a point of the grid, or of the one beside it; null in an empty list. */
  spotAt(x: number, y: number): Spot | null {
    const section = this.sectionAt(y)
    const own = this.sections[section]
    if (!own) return null
    const rows = this.rowsOf(section)?.rows ?? []
    const below = y - this.rowsTop(section)
    const row = rows.findLast(({ top }) => top <= below) ?? rows[0]
    if (!row) return { section, index: Math.max(0, this.numberAt(y) - 1 - (this.numbers[section] ?? 0)) }
    const at = row.tiles.findLastIndex(({ left }) => left <= x)
    return { section, index: row.first + Math.max(0, at) }
  }

  /** The place beside another one; in a row that is not known yet, its first or last. null at the edges of the list. */
  towards(spot: Spot, direction: Direction): Spot | null {
    if (direction === 'left' || direction === 'right') return this.#along(spot, direction === 'left' ? -1 : 1)
    return this.#across(spot, direction === 'up' ? -1 : 1)
  }

  /** What stands at the upper edge of the window when that is at `y`. */
  anchorAt(y: number): Anchor {
    const section = this.sectionAt(y)
    const top = this.tops[section] ?? 0
    const part = (y - top) / Math.max(1, (this.tops[section + 1] ?? 0) - top)
    const row = this.rowsBetween(section, y, Infinity)[0]
    const id = row ? (this.sections[section]?.photos?.[row.first]?.id ?? null) : null
    return { id, section, part, offset: row ? y - this.rowsTop(section) - row.top : 0 }
  }

  /** Where the upper edge of the window has to be so that the anchor stands there again; `spot` is where its photo is now. */
  yOf({ section, part, offset }: Anchor, spot: Spot | null): number {
    const row = spot && this.rowOf(spot)
    if (row) return row.y + offset
    const index = Math.min(section, this.sections.length - 1)
    const top = this.tops[index] ?? 0
    return top + part * ((this.tops[index + 1] ?? top) - top)
  }

  #along({ section, index }: Spot, step: 1 | -1): Spot | null {
    const own = this.sections[section]
    if (own && index + step >= 0 && index + step < own.count) return { section, index: index + step }
    return this.#edge(section + step, step)
  }

  #across(spot: Spot, step: 1 | -1): Spot | null {
    const row = this.rowOf(spot)
    const own = this.rowsOf(spot.section)?.rows ?? []
    const at = own.findIndex(({ first }) => first === row?.first)
    if (!row || at === -1) return null
    const tile = row.tiles[spot.index - row.first]
    const middle = tile ? tile.left + tile.width / 2 : 0
    const next = own[at + step]
    if (next) return { section: spot.section, index: nearest(next, middle) }
    const there = this.rowsOf(spot.section + step)?.rows.at(step > 0 ? 0 : -1)
    return there ? { section: spot.section + step, index: nearest(there, middle) } : this.#edge(spot.section + step, step)
  }

  #edge(section: number, step: 1 | -1): Spot | null {
    const there = this.sections[section]
    return there ? { section, index: step > 0 ? 0 : there.count - 1 } : null
  }

  #heightOf(section: Section, index: number): number {
    const heading = isDayStart(this.sections, index) ? this.measures.heading : 0
    return heading + (this.rowsOf(index)?.height ?? estimated(section.count, this.measures.ratio, this.measures))
  }
}

/** The number of the photo of a row whose middle is nearest. */
function nearest({ first, tiles }: Row, middle: number): number {
  const distances = tiles.map(({ left, width }) => Math.abs(left + width / 2 - middle))
  return first + distances.indexOf(Math.min(...distances))
}

const isSame = (one: Measures, other: Measures): boolean =>
  one.width === other.width && one.row === other.row && one.gap === other.gap && one.caption === other.caption

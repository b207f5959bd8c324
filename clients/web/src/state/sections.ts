// A long list of photos as sections of about a hundred: known by their number before they are loaded. Pure.
//
// Ids sort by time, so a section is an interval of ids. What comes or goes in one section moves no border of another.

import type { Day, Photo } from '../api/types.ts'
import { grouped } from './grouped.ts'

/** The least distance of marks that the server knows. */
export const SECTION_PHOTOS = 100

export interface Section {
  /** The day of its photos (UTC), such as 2026-11-23. A section never spans two. */
  readonly day: string
  readonly count: number
  /** The id right before its first photo. null in the first section of a day, and in others while it is unknown. */
  readonly after: string | null
  /** null before they are loaded, and after they were let go. */
  readonly photos: readonly Photo[] | null
  /** Width to height of each photo; kept when the photos are let go. */
  readonly ratios: readonly number[] | null
}

/** Where a photo is: the number of its section, and its own number there. */
export interface Spot {
  section: number
  index: number
}

/** An interval of sections, the last one included. */
export interface Span {
  first: number
  last: number
}

const DAY_MS = 86_400_000
/** Panoramas and towers are cut in the grid, or they would leave no room to others. */
const NARROWEST = 0.5
const WIDEST = 2.75

export const ratioOf = ({ width, height }: Photo): number => Math.min(WIDEST, Math.max(NARROWEST, width / height))

/** The day of an id: UUIDv7 begins with the milliseconds of its making. */
export const dayOf = (id: string): string => dayAt(parseInt(id.slice(0, 8) + id.slice(9, 13), 16))

export const dayAfter = (day: string): string => dayAt(Date.parse(day) + DAY_MS)

const dayAt = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

export const isDayStart = (sections: readonly Section[], index: number): boolean =>
  sections[index - 1]?.day !== sections[index]?.day

export const isDayEnd = (sections: readonly Section[], index: number): boolean =>
  sections[index + 1]?.day !== sections[index]?.day

/** Whether it is known where a section begins, so that it can be asked for. */
export const hasStart = (sections: readonly Section[], index: number): boolean =>
  sections[index]?.after !== null || isDayStart(sections, index)

export const countOf = (sections: readonly Section[]): number => sections.reduce((sum, { count }) => sum + count, 0)

const loaded = (day: string, after: string | null, photos: readonly Photo[]): Section => ({
  day,
  count: photos.length,
  after,
  photos,
  ratios: photos.map(ratioOf),
})

/** Sections for so many photos of a day, of which nothing is known yet. */
const unloadedDay = (day: string, count: number): Section[] =>
  Array.from({ length: Math.ceil(count / SECTION_PHOTOS) }, (_, number) => ({
    day,
    count: Math.min(SECTION_PHOTOS, count - number * SECTION_PHOTOS),
    after: null,
    photos: null,
    ratios: null,
  }))

export const sectionsOf = (days: readonly Day[]): Section[] => days.flatMap(({ day, photos }) => unloadedDay(day, photos))

/** The section that an id belongs to, or the last one before the borders become unknown; -1 when its day has none. */
export function sectionOf(sections: readonly Section[], id: string): number {
  const day = dayOf(id)
  let found = -1
  for (let index = firstOfDay(sections, day); sections[index]?.day === day; index += 1) {
    const { after } = sections[index] as Section
    if (found === -1 || (after !== null && id < after)) found = index
    else if (after !== null) break
  }
  return found
}

/** Where a loaded photo is; null when it is not loaded, or not in the list. */
export function spotOf(sections: readonly Section[], id: string): Spot | null {
  const section = sectionOf(sections, id)
  const index = sections[section]?.photos?.findIndex((photo) => photo.id === id) ?? -1
  return index === -1 ? null : { section, index }
}

/** The number of the first section of a day, or of where it would be: days go down. */
function firstOfDay(sections: readonly Section[], day: string): number {
  let low = 0
  let high = sections.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sections[middle] as Section).day > day) low = middle + 1
    else high = middle
  }
  return low
}

/** Which sections one request shall bring: from `first` on, while they are wanted, not loaded, and `most` photos together. */
export function runFrom(sections: readonly Section[], { first, last }: Span, most: number): Span {
  let count = sections[first]?.count ?? 0
  let end = first
  while (end < last && sections[end + 1]?.photos === null) {
    count += (sections[end + 1] as Section).count
    if (count > most) break
    end += 1
  }
  return { first, last: end }
}

/** Puts photos, which a request for these sections brought, into them. */
export function filled(sections: readonly Section[], { first, last }: Span, photos: readonly Photo[]): Section[] {
  const made: Section[] = []
  let from = 0
  let after: string | null = null
  for (let index = first; index <= last; index += 1) {
    const section = sections[index] as Section
    const start: string | null = section.after ?? (isDayStart(sections, index) ? null : after)
    const end = endOf(sections, index, photos, from)
    made.push(loaded(section.day, start, photos.slice(from, end)))
    after = photos[end - 1]?.id ?? start
    from = end
  }
  const all = withBorder(sections.toSpliced(first, last - first + 1, ...made), last + 1, after)
  return all.filter(({ count }) => count > 0)
}

/** Where the photos of a section end in what was brought, which begins with them at `from`. */
function endOf(sections: readonly Section[], index: number, photos: readonly Photo[], from: number): number {
  const { day, count } = sections[index] as Section
  const border = isDayEnd(sections, index) ? null : (sections[index + 1]?.after ?? null)
  const isMine = (photo: Photo, number: number): boolean => {
    if (dayOf(photo.id) !== day) return false
    if (isDayEnd(sections, index)) return true
    return border === null ? number - from < count : photo.id >= border
  }
  let end = from
  while (photos[end] && isMine(photos[end] as Photo, end)) end += 1
  return end
}

/** Tells a section where it begins, if that was unknown. */
function withBorder(sections: Section[], index: number, after: string | null): Section[] {
  const next = sections[index]
  if (next && after !== null && !hasStart(sections, index)) sections[index] = { ...next, after }
  return sections
}

/** The section from which marks have to be asked for so that the start of `index` becomes known. */
export function markedFrom(sections: readonly Section[], index: number): number {
  let from = index
  while (from > 0 && !hasStart(sections, from)) from -= 1
  return from
}

/** Takes marks, which lie SECTION_PHOTOS apart from the start of section `from` on, as the starts of those after it. */
export function marked(sections: readonly Section[], from: number, marks: readonly string[]): Section[] {
  const made = [...sections]
  for (const [number, mark] of marks.entries()) withBorder(made, from + 1 + number, mark)
  return made
}

/** Drops the sections after `from` in its day: the server has no photos for them. */
export const cut = (sections: readonly Section[], from: number): Section[] =>
  sections.filter(({ day }, index) => index <= from || day !== sections[from]?.day)

/** Lets the photos go of sections outside a span, as far as more than `most` are loaded. */
export function released(sections: readonly Section[], { first, last }: Span, most: number): readonly Section[] {
  const held = sections.flatMap(({ photos }, index) => (photos ? [index] : []))
  let surplus = held.reduce((sum, index) => sum + (sections[index]?.count ?? 0), 0) - most
  if (surplus <= 0) return sections
  const distance = (index: number): number => Math.max(first - index, index - last, 0)
  const made = [...sections]
  for (const index of held.toSorted((one, other) => distance(other) - distance(one))) {
    if (surplus <= 0 || distance(index) === 0) break
    surplus -= (made[index] as Section).count
    made[index] = { ...(made[index] as Section), photos: null }
  }
  return made
}

/** The list without some photos, loaded or not. */
export function without(sections: readonly Section[], ids: readonly string[]): Section[] {
  const gone = new Map<number, Set<string>>()
  for (const id of ids) {
    const index = sectionOf(sections, id)
    gone.set(index, (gone.get(index) ?? new Set()).add(id))
  }
  const made = sections.map((section, index) => {
    const own = gone.get(index)
    return own ? reduced(section, own) : section
  })
  return made.filter(({ count }) => count > 0)
}

function reduced(section: Section, gone: ReadonlySet<string>): Section {
  if (section.photos) return loaded(section.day, section.after, section.photos.filter(({ id }) => !gone.has(id)))
  return { ...section, ratios: null, count: Math.max(0, section.count - gone.size) }
}

/** The list with a photo put where its id belongs. */
export function withPhoto(sections: readonly Section[], photo: Photo): Section[] {
  const index = sectionOf(sections, photo.id)
  const section = sections[index]
  if (!section) {
    const day = dayOf(photo.id)
    return sections.toSpliced(firstOfDay(sections, day), 0, loaded(day, null, [photo]))
  }
  const photos = section.photos?.filter(({ id }) => id !== photo.id)
  const made = photos
    ? loaded(section.day, section.after, [...photos, photo].toSorted((one, other) => (one.id < other.id ? 1 : -1)))
    : { ...section, ratios: null, count: section.count + 1 }
  return sections.with(index, made)
}

/** The list with other data of a photo that it holds. */
export function withData(sections: readonly Section[], photo: Photo): readonly Section[] {
  const spot = spotOf(sections, photo.id)
  const section = spot === null ? undefined : sections[spot.section]
  if (!spot || !section?.photos) return sections
  const old = section.photos[spot.index] as Photo
  return sections.with(spot.section, { ...section, photos: section.photos.with(spot.index, { ...old, ...photo }) })
}

/** The list with photos before its first one. Sections stay between half and one and a half of their usual length. */
export function withNewest(sections: readonly Section[], photos: readonly Photo[]): Section[] {
  const days = [...grouped(photos, ({ id }) => dayOf(id))].map(([day, own]) => {
    const first = sections[0]
    const joins = first?.day === day && first.photos !== null
    return { joins, made: inParts(day, joins ? [...own, ...(first.photos ?? [])] : own) }
  })
  const rest = days.some(({ joins }) => joins) ? sections.slice(1) : [...sections]
  const made = days.flatMap(({ made }) => made)
  return withBorder([...made, ...rest], made.length, made.at(-1)?.photos?.at(-1)?.id ?? null)
}

/** Photos of one day in sections of equal length. */
function inParts(day: string, photos: readonly Photo[]): Section[] {
  const parts = Math.max(1, Math.round(photos.length / SECTION_PHOTOS))
  const borders = Array.from({ length: parts + 1 }, (_, part) => Math.round((part * photos.length) / parts))
  return borders.slice(0, -1).map((from, part) => loaded(day, photos[from - 1]?.id ?? null, photos.slice(from, borders[part + 1])))
}

/** The list as the server counts it now: days that have the right number stay as they are, others are read again. */
export function adopted(sections: readonly Section[], days: readonly Day[]): Section[] {
  const known = grouped(sections, ({ day }) => day)
  return days.flatMap(({ day, photos }) => {
    const own = known.get(day) ?? []
    return countOf(own) === photos ? own : unloadedDay(day, photos)
  })
}

/** A list of which the server has told the numbers and the first photos. */
export function opened(days: readonly Day[], photos: readonly Photo[]): Section[] {
  const sections = sectionsOf(days)
  let last = -1
  for (let rest = photos.length; (rest -= sections[last + 1]?.count ?? Infinity) >= 0; ) last += 1
  return last === -1 ? sections : filled(sections, { first: 0, last }, photos)
}

/** The days of photos, newest first. */
export const daysOf = (photos: readonly Photo[]): Day[] =>
  [...grouped(photos, ({ id }) => dayOf(id))].map(([day, own]) => ({ day, photos: own.length }))

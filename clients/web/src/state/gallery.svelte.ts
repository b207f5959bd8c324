import type { Client, Listing } from '../api/client.ts'
import { isPhotoId } from '../api/ids.ts'
import { asProblem, isAbort, type Problem } from '../api/problem.ts'
import type { Day, Photo, PhotoPage } from '../api/types.ts'
import { grouped } from './grouped.ts'
import * as list from './sections.ts'
import type { Section, Span, Spot } from './sections.ts'

export type GalleryApi = Pick<Client, 'findPhotos' | 'listPhotos' | 'readTimeline' | 'readMarks'>

const FIRST_PAGE = 100
const MOST_PER_REQUEST = 300
/** Photos that one request asks for beyond those it expects, as some may have come since they were counted. */
const SPARE = 20
const MOST_PER_PAGE = 1000
/** Photos that are kept in memory; those farthest from the window go first. */
const MOST_KEPT = 4000
/** So many new photos are put before those that are there; with more the list begins anew. */
const MOST_NEW = 3000

/**
 * A listing of any length, newest first. Its numbers are known at once, its photos are loaded where they are wanted
 * and let go elsewhere. What is shown stays until another listing has arrived.
 */
export class Gallery {
  sections: readonly Section[] = $state.raw([])
  problem: Problem | null = $state.raw(null)
  /** Whether `sections` are those of the present listing; until it has arrived, they are of the one before. */
  isReady = $state(false)
  readonly count: number = $derived(list.countOf(this.sections))
  #listing: Listing | null = null
  /** The listing that `sections` are of; it follows `#listing` when the new one arrives. */
  #shown: Listing | null = null
  #days: readonly Day[] = []
  #opening: AbortController | null = null
  #loading: { span: Span; abort: AbortController } | null = null
  #wanted: Span | null = null
  /** Requests on their way that several callers may wait for, by what they ask. */
  readonly #asked = new Map<string, Promise<void>>()
  readonly #api: GalleryApi

  constructor(api: GalleryApi) {
    this.#api = api
  }

  /** Shows a listing; when it is the present one, what is there stays and is brought up to date. */
  async show(listing: Listing): Promise<void> {
    if (JSON.stringify(listing) !== JSON.stringify(this.#listing)) {
      this.#listing = listing
      this.problem = null
      this.isReady = false
    }
    await this.refresh()
  }

  /** Looks what has come and gone since. New photos are put before the others; other days that have changed are read again. */
  async refresh(): Promise<void> {
    const listing = this.#listing
    if (!listing) return
    if (this.#shown !== listing) return this.#open(listing)
    if (isPhotoId(listing.name ?? '')) return
    await this.#safely(async (signal) => {
      const { days } = await this.#api.readTimeline(listing, signal)
      if (signal.aborted) return
      const isChanged = JSON.stringify(days) !== JSON.stringify(this.#days) || this.problem !== null
      this.problem = null
      if (this.#wanted) this.want(this.#wanted)
      if (!isChanged) return
      const arrivals = await this.#arrivals(listing, signal)
      if (signal.aborted) return
      this.#days = days
      this.sections = list.adopted(list.withNewest(this.sections, arrivals), days)
    })
  }

  /** Loads the photos of some sections, and of no others: what was wanted before and is not on its way is forgotten. */
  want(span: Span): void {
    this.#wanted = span
    const loading = this.#loading
    if (!loading) void this.#loadWanted()
    else if (loading.span.last < span.first || loading.span.first > span.last) loading.abort.abort()
  }

  /** A loaded photo. */
  find(id: string): Photo | null {
    const spot = list.spotOf(this.sections, id)
    return spot && (this.sections[spot.section]?.photos?.[spot.index] ?? null)
  }

  spotOf(id: string): Spot | null {
    return list.spotOf(this.sections, id)
  }

  /** The place of a photo, whose surroundings are loaded if they are not; null when it is not in the list. */
  async locate(id: string): Promise<Spot | null> {
    return this.#tried(async () => {
      let section = list.sectionOf(this.sections, id)
      while (section >= 0 && this.sections[section]?.photos === null) {
        if (!this.#isSure(section)) await this.#loadMarks(section + 1)
        else await this.#loadOne(section)
        section = list.sectionOf(this.sections, id)
      }
      return this.spotOf(id)
    })
  }

  /** The photo at a place, loading it when needed. */
  async photoAt({ section, index }: Spot): Promise<Photo | null> {
    if (this.sections[section]?.photos === null) await this.#tried(() => this.#loadOne(section))
    const photos = this.sections[section]?.photos ?? []
    return photos[index] ?? photos.at(-1) ?? null
  }

  /** The loaded photo that lies `step` places after this one, or before it; null when there is none, or it is not loaded. */
  neighbour(id: string, step: 1 | -1): Photo | null {
    const spot = this.spotOf(id)
    if (!spot) return null
    const own = this.sections[spot.section]?.photos?.[spot.index + step]
    return own ?? this.sections[spot.section + step]?.photos?.at(step > 0 ? 0 : -1) ?? null
  }

  /** As `neighbour`, loading it when needed. */
  async reach(id: string, step: 1 | -1): Promise<Photo | null> {
    const spot = await this.locate(id)
    if (!spot) return null
    const near = this.neighbour(id, step)
    return near ?? this.photoAt({ section: spot.section + step, index: step > 0 ? 0 : Infinity })
  }

  /** All photos from one to another, both included, in the order of the list; of more than `most` those beside the first one. */
  async between(from: Photo, to: Photo, most: number): Promise<readonly Photo[]> {
    const [newer, older] = from.id > to.id ? [from, to] : [to, from]
    const near = this.#heldBetween(newer.id, older.id)
    if (from === older) return (near ?? (await this.#readUpTo(newer, older, most))).slice(-most)
    if (near) return near.slice(0, most)
    return [newer, ...(await this.#all({ cursor: newer.id }, most - 1, ({ id }) => id >= older.id))]
  }

  /** All photos of a day, or of the whole list for null; `most` of them at most. */
  allOf(day: string | null, most: number): Promise<readonly Photo[]> {
    const own = this.sections.filter((section) => day === null || section.day === day)
    const held = own.flatMap(({ photos }) => photos ?? [])
    if (held.length === list.countOf(own)) return Promise.resolve(held.slice(0, most))
    return this.#all(day === null ? {} : { before: list.dayAfter(day), since: day }, most)
  }

  replace(photo: Photo): void {
    this.sections = list.withData(this.sections, photo)
  }

  remove(...ids: readonly string[]): void {
    this.#change(list.without(this.sections, ids))
  }

  /** Puts photos to their places, as far as they belong to the present listing. */
  insert(...photos: readonly Photo[]): void {
    const { dataset, name } = this.#shown ?? {}
    const part = name?.trim().toLowerCase() ?? ''
    const own = photos.filter((photo) => (!dataset || dataset === photo.dataset) && photo.name.toLowerCase().includes(part))
    this.#change(own.reduce<readonly Section[]>((sections, photo) => list.withPhoto(sections, photo), this.sections))
  }

  clear(): void {
    this.#opening?.abort()
    this.#loading?.abort.abort()
    this.problem = this.#wanted = null
    this.sections = this.#days = []
    this.isReady = false
    this.#listing = this.#shown = null
  }

  /** Takes a change of our own, which the next count of the server will show, too. */
  #change(sections: readonly Section[]): void {
    this.sections = sections
    const counts = grouped(sections, ({ day }) => day)
    this.#days = [...counts].map(([day, own]) => ({ day, photos: list.countOf(own) }))
  }

  /** The first page is shown as soon as it is there; a search that has more is counted meanwhile. */
  async #open(listing: Listing): Promise<void> {
    await this.#safely(async (signal) => {
      const isSearch = Boolean(listing.name)
      const counting = isSearch ? null : this.#api.readTimeline(listing, signal)
      counting?.catch(() => {}) // awaited below, unless the page fails first
      const page = await this.#api.findPhotos({ ...listing, limit: FIRST_PAGE }, signal)
      if (page.next === null || isSearch) this.#show(list.daysOf(page.photos), page, signal)
      if (page.next === null) return
      const { days } = await (counting ?? this.#api.readTimeline(listing, signal))
      this.#show(days, page, signal)
    })
  }

  #show(days: readonly Day[], page: PhotoPage, signal: AbortSignal): void {
    if (signal.aborted) return
    this.#loading?.abort.abort()
    this.#shown = this.#listing
    this.#asked.clear()
    this.#days = days
    this.sections = list.opened(days, page.photos)
    this.problem = null
    this.isReady = true
  }

  /** Photos newer than those that are there, newest first. None when they are so many that the days are read again. */
  async #arrivals(listing: Listing, signal: AbortSignal): Promise<Photo[]> {
    const newest = this.sections[0]?.photos?.[0]?.id
    if (newest === undefined) return []
    const found: Photo[] = []
    for (let cursor: string | null = null; found.length < MOST_NEW; ) {
      const page = await this.#api.findPhotos({ ...listing, cursor, limit: cursor ? MOST_PER_PAGE : FIRST_PAGE }, signal)
      const fresh = page.photos.filter(({ id }) => id > newest)
      found.push(...fresh)
      if (fresh.length < page.photos.length || page.next === null) return found
      cursor = page.next
    }
    return []
  }

  async #loadWanted(): Promise<void> {
    for (let span = this.#nextSpan(); span; span = this.#nextSpan()) {
      const abort = new AbortController()
      this.#loading = { span, abort }
      try {
        await this.#load(span, abort.signal)
      } catch (error) {
        if (isAbort(error)) continue
        this.#note(error)
        return
      } finally {
        this.#loading = null
      }
    }
  }

  /** The next request for what is wanted: from the first section that is not loaded. */
  #nextSpan(): Span | null {
    const wanted = this.#wanted
    if (!wanted) return null
    for (let first = wanted.first; first <= wanted.last; first += 1) {
      if (this.sections[first]?.photos === null) return list.runFrom(this.sections, { ...wanted, first }, MOST_PER_REQUEST)
    }
    return null
  }

  /** Loads neighbouring sections with one request, and marks before that when it is unknown where they begin. */
  async #load({ first, last }: Span, signal?: AbortSignal): Promise<void> {
    if (!list.hasStart(this.sections, first)) await this.#loadMarks(first)
    signal?.throwIfAborted()
    const run = this.sections.slice(first, last + 1)
    if (run.length === 0 || !list.hasStart(this.sections, first)) return // the list has changed; what is wanted is asked anew
    const page = await this.#api.listPhotos({ ...this.#shown, ...startOf(this.sections, first), limit: sizeOf(run) }, signal)
    signal?.throwIfAborted()
    this.#fill(run, page.photos)
  }

  /** Loads a section for whoever asks, once for all that ask at a time. */
  #loadOne(section: number): Promise<void> {
    return this.#shared(`photos ${section}`, () => this.#load({ first: section, last: section }))
  }

  /** Puts photos into the sections that were asked for, wherever they lie now; those that have changed meanwhile are asked again. */
  #fill(run: readonly Section[], photos: readonly Photo[]): void {
    const first = this.sections.indexOf(run[0] as Section)
    const isThere = first >= 0 && run.every((section, index) => this.sections[first + index] === section)
    if (!isThere) return
    const sections = list.filled(this.sections, { first, last: first + run.length - 1 }, photos)
    this.sections = list.released(sections, this.#wanted ?? { first, last: first }, MOST_KEPT)
    this.problem = null
  }

  /** Learns where a section of a long day begins. */
  async #loadMarks(index: number): Promise<void> {
    while (this.sections[index] && !list.hasStart(this.sections, index)) {
      const from = list.markedFrom(this.sections, index)
      await this.#shared(`marks ${from}`, () => this.#loadMarksFrom(from))
    }
  }

  async #loadMarksFrom(from: number): Promise<void> {
    const section = this.sections[from] as Section
    const listing = { ...this.#shown, since: section.day, ...startOf(this.sections, from) }
    const { marks } = await this.#api.readMarks(listing, list.SECTION_PHOTOS)
    const now = this.sections.indexOf(section)
    if (now === -1) return
    this.sections = marks.length > 0 ? list.marked(this.sections, now, marks) : list.cut(this.sections, now)
  }

  /** Several callers wait for one request. */
  #shared(what: string, work: () => Promise<void>): Promise<void> {
    const known = this.#asked.get(what)
    if (known) return known
    const asked = work().finally(() => this.#asked.delete(what))
    this.#asked.set(what, asked)
    return asked
  }

  /** Whether a photo of this place cannot be in a later section, as it is known where that one begins. */
  #isSure(section: number): boolean {
    return list.isDayEnd(this.sections, section) || list.hasStart(this.sections, section + 1)
  }

  #heldBetween(newer: string, older: string): Photo[] | null {
    const from = this.spotOf(newer)
    const to = this.spotOf(older)
    if (!from || !to) return null
    const own = this.sections.slice(from.section, to.section + 1)
    if (own.some(({ photos }) => photos === null)) return null
    return own.flatMap(({ photos }) => photos ?? []).filter(({ id }) => id <= newer && id >= older)
  }

  /** The photos between two, read from the top as lists are; of many more than `most` only the older ones are read. */
  async #readUpTo(newer: Photo, older: Photo, most: number): Promise<Photo[]> {
    await this.locate(older.id)
    const first = this.#firstOf(most + SPARE, older.id)
    if (first <= list.sectionOf(this.sections, newer.id)) {
      return [newer, ...(await this.#all({ cursor: newer.id }, Infinity, ({ id }) => id >= older.id))]
    }
    await this.#loadMarks(first)
    const start = list.hasStart(this.sections, first) ? startOf(this.sections, first) : { cursor: newer.id }
    return this.#all(start, Infinity, ({ id }) => id >= older.id)
  }

  /** The last section from which on there are so many photos before the section of this one. */
  #firstOf(count: number, id: string): number {
    let first = Math.max(0, list.sectionOf(this.sections, id))
    for (let found = 0; first > 0 && found < count; ) found += this.sections[(first -= 1)]?.count ?? 0
    return first
  }

  async #all(listing: Listing, most: number, isMine: (photo: Photo) => boolean = () => true): Promise<Photo[]> {
    const found: Photo[] = []
    for (let cursor = listing.cursor ?? null; ; ) {
      const limit = Math.min(MOST_PER_PAGE, most - found.length)
      if (limit <= 0) return found
      const page = await this.#api.listPhotos({ ...this.#shown, ...listing, cursor, limit })
      const mine = page.photos.filter(isMine)
      found.push(...mine)
      if (mine.length < page.photos.length || page.next === null) return found
      cursor = page.next
    }
  }

  /** Runs what only the newest call of its kind may finish; a problem of it is shown. */
  async #safely(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#opening?.abort()
    const opening = new AbortController()
    this.#opening = opening
    try {
      await work(opening.signal)
    } catch (error) {
      if (!opening.signal.aborted) this.#note(error)
    }
  }

  async #tried<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work()
    } catch (error) {
      this.#note(error)
      return null
    }
  }

  /** A lost connection is told by the page as a whole, which calls `refresh` when it is back. */
  #note(error: unknown): void {
    const problem = asProblem(error)
    if (!isAbort(error) && !(this.isReady && problem.code === 'offline')) this.problem = problem
  }
}

/** Where a request for photos has to begin so that those of this section come first. */
function startOf(sections: readonly Section[], index: number): Listing {
  const { day, after } = sections[index] as Section
  return after === null ? { before: list.dayAfter(day) } : { cursor: after }
}

const sizeOf = (sections: readonly Section[]): number => Math.min(MOST_PER_PAGE, list.countOf(sections) + SPARE)

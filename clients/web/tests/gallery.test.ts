import { describe, expect, it } from 'vitest'
import type { Listing } from '../src/api/client.ts'
import { Problem } from '../src/api/problem.ts'
import type { Day, Marks, Photo, PhotoPage } from '../src/api/types.ts'
import { Gallery, type GalleryApi } from '../src/state/gallery.svelte.ts'
import { grouped } from '../src/state/grouped.ts'
import { dayAfter, dayOf, SECTION_PHOTOS } from '../src/state/sections.ts'

const NEWEST_MS = Date.parse('2026-11-20T20:00:00Z')

/** The photo that came so many seconds before the newest; negative ones are newer. */
function photo(secondsAgo: number, more: Partial<Photo> = {}): Photo {
  const hex = (NEWEST_MS - secondsAgo * 1000).toString(16).padStart(12, '0')
  const id = `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${'0'.repeat(12)}`
  return { id, name: `IMG_${secondsAgo}.jpg`, dataset: 'main', width: 3, height: 2, ...more } as Photo
}

const many = (count: number, from = 0): Photo[] => Array.from({ length: count }, (_, number) => photo(from + number))

/** A server that holds photos as the real one does, newest first, and counts what it is asked. */
class Holder implements GalleryApi {
  photos: Photo[]
  asked: string[] = []
  waits: Promise<void> | null = null
  fails: Problem | null = null

  constructor(photos: Photo[]) {
    this.photos = photos
  }

  #list({ name, since, before, cursor }: Listing): Photo[] {
    return this.photos.filter(
      ({ id, name: own }) =>
        own.includes(name ?? '') && (!since || dayOf(id) >= since) && (!before || dayOf(id) < before) && (!cursor || id < cursor),
    )
  }

  async #answer<T>(what: string, answer: () => T, signal?: AbortSignal): Promise<T> {
    this.asked.push(what)
    if (this.fails) throw this.fails
    const made = answer()
    await this.waits
    signal?.throwIfAborted()
    return made
  }

  listPhotos = (listing: Listing, signal?: AbortSignal): Promise<PhotoPage> =>
    this.#answer('photos', () => {
      const all = this.#list(listing)
      const photos = all.slice(0, listing.limit)
      return { photos, next: all.length > photos.length ? (photos.at(-1)?.id ?? null) : null }
    }, signal)

  findPhotos = this.listPhotos

  readTimeline = (listing: Listing, signal?: AbortSignal) =>
    this.#answer('timeline', () => {
      const days: Day[] = [...grouped(this.#list(listing), ({ id }) => dayOf(id))].map(([day, own]) => ({ day, photos: own.length }))
      return { photos: this.#list(listing).length, days }
    }, signal)

  readMarks = (listing: Listing, every: number, signal?: AbortSignal): Promise<Marks> =>
    this.#answer('marks', () => ({ every, marks: this.#list(listing).filter((_, at) => (at + 1) % every === 0).map(({ id }) => id), next: null }), signal)
}

const held = (gallery: Gallery): string[] => gallery.sections.flatMap(({ photos }) => (photos ?? []).map(({ id }) => id))
const ids = (photos: readonly Photo[]): string[] => photos.map(({ id }) => id)

async function shown(holder: Holder, listing: Listing = {}): Promise<Gallery> {
  const gallery = new Gallery(holder)
  await gallery.show(listing)
  return gallery
}

/** Wants sections and waits until they are there. */
async function load(gallery: Gallery, first: number, last: number): Promise<void> {
  gallery.want({ first, last })
  await expect.poll(() => gallery.sections.slice(first, last + 1).every(({ photos }) => photos !== null)).toBe(true)
}

describe('a gallery', () => {
  it('knows at once how many photos it has, and holds the newest', async () => {
    const gallery = await shown(new Holder(many(2_345)))
    expect([gallery.count, held(gallery).length, gallery.isReady]).toEqual([2_345, SECTION_PHOTOS, true])
  })

  it('reaches the oldest photo of a long day with two requests', async () => {
    const holder = new Holder(many(20_000))
    const gallery = await shown(holder)
    holder.asked = []
    await load(gallery, 199, 199)
    expect(holder.asked).toEqual(['marks', 'photos'])
    expect(held(gallery).at(-1)).toBe(photo(19_999).id)
    await load(gallery, 0, 2)
    expect(held(gallery).slice(0, 300)).toEqual(ids(many(300)))
  })

  it('brings many short days with one request', async () => {
    const holder = new Holder(Array.from({ length: 300 }, (_, number) => photo(number * 43_200)))
    const gallery = await shown(holder)
    holder.asked = []
    await load(gallery, 60, 149)
    expect(holder.asked).toEqual(['photos'])
    expect(gallery.sections.slice(60, 150).map(({ photos, day }) => photos?.every(({ id }) => dayOf(id) === day))).toEqual(Array(90).fill(true))
  })

  it('asks no more for what was wanted and is not', async () => {
    const holder = new Holder(many(10_000))
    const gallery = await shown(holder)
    let go = (): void => {}
    holder.waits = new Promise((resolve) => (go = resolve))
    gallery.want({ first: 30, last: 32 })
    gallery.want({ first: 60, last: 61 })
    holder.waits = null
    go()
    await load(gallery, 60, 61)
    expect(gallery.sections.flatMap(({ photos }, index) => (photos ? [index] : []))).toEqual([0, 60, 61])
  })

  it('lets photos go that are far away, and keeps their places', async () => {
    const gallery = await shown(new Holder(many(6_000)))
    for (let first = 0; first < 60; first += 10) await load(gallery, first, first + 9)
    expect(held(gallery).length).toBeLessThanOrEqual(4000)
    expect([gallery.count, gallery.sections[0]?.photos, gallery.sections[0]?.ratios?.length]).toEqual([6_000, null, SECTION_PHOTOS])
    await load(gallery, 0, 0)
    expect(held(gallery)[0]).toBe(photo(0).id)
  })

  it('finds a photo anywhere, and its neighbours over the borders of sections and days', async () => {
    const gallery = await shown(new Holder(many(9_000)))
    const wanted = photo(7_350)
    expect(await gallery.locate(wanted.id)).toEqual(gallery.spotOf(wanted.id))
    expect(gallery.find(wanted.id)).toEqual(wanted)
    const last = gallery.sections.find(({ photos }) => photos?.includes(gallery.find(wanted.id) as Photo))?.photos?.at(-1) as Photo
    expect(gallery.neighbour(last.id, 1)).toBeNull()
    expect((await gallery.reach(last.id, 1))?.id).toBe(photo(Number(last.name.slice(4, -4)) + 1).id)
    expect([await gallery.reach(photo(0).id, -1), await gallery.locate(photo(200_000).id)]).toEqual([null, null])
  })

  it('puts new photos before the others without reading those again', async () => {
    const holder = new Holder(many(5000))
    const gallery = await shown(holder)
    await load(gallery, 20, 22)
    const before = gallery.sections.slice(20, 23)
    holder.photos = [...many(250, -250), ...holder.photos]
    await gallery.refresh()
    expect(gallery.count).toBe(5250)
    expect(held(gallery).slice(0, 350)).toEqual(ids(many(350, -250)))
    expect(before.every((section) => gallery.sections.includes(section))).toBe(true)
    await load(gallery, 0, gallery.sections.length - 1 > 30 ? 30 : 10)
    expect(new Set(held(gallery)).size).toBe(held(gallery).length)
  })

  it('begins a new day above the others', async () => {
    const holder = new Holder(many(50))
    const gallery = await shown(holder)
    const tomorrow = photo(-86_400)
    holder.photos = [tomorrow, ...holder.photos]
    await gallery.refresh()
    expect(gallery.sections.map(({ day, count }) => [day, count])).toEqual([[dayAfter(dayOf(photo(0).id)), 1], [dayOf(photo(0).id), 50]])
  })

  it('reads a day again from which somebody took photos', async () => {
    const holder = new Holder(many(5000))
    const gallery = await shown(holder)
    holder.photos = holder.photos.filter((_, number) => number !== 7)
    await gallery.refresh()
    await load(gallery, 0, 0)
    expect([gallery.count, held(gallery).includes(photo(7).id)]).toEqual([4999, false])
  })

  it('is not ready while another listing is on its way, and tells when that does not come', async () => {
    const holder = new Holder([photo(0, { name: 'cat.jpg' }), photo(1)])
    const gallery = await shown(holder)
    let go = (): void => {}
    holder.waits = new Promise((resolve) => (go = resolve))
    const opening = gallery.show({ name: 'cat' })
    expect([gallery.isReady, gallery.count]).toEqual([false, 2])
    go()
    await opening
    expect([gallery.isReady, gallery.count]).toEqual([true, 1])
    holder.fails = new Problem({ code: 'offline' })
    await gallery.show({ name: 'IMG' })
    expect([gallery.isReady, gallery.problem?.code]).toEqual([false, 'offline'])
    holder.fails = null
    await gallery.refresh()
    expect([gallery.isReady, gallery.problem, held(gallery)]).toEqual([true, null, [photo(1).id]])
  })

  it('changes nothing when nothing has changed', async () => {
    const holder = new Holder(many(500))
    const gallery = await shown(holder)
    const { sections } = gallery
    holder.asked = []
    await gallery.refresh()
    expect([gallery.sections === sections, holder.asked]).toEqual([true, ['timeline']])
  })

  it('takes photos out, loaded or not, and puts them back to their places', async () => {
    const gallery = await shown(new Holder(many(1000)))
    gallery.remove(photo(3).id, photo(900).id)
    expect([gallery.count, held(gallery).includes(photo(3).id)]).toEqual([998, false])
    gallery.insert(photo(3), photo(900))
    expect([gallery.count, gallery.spotOf(photo(3).id)]).toEqual([1000, { section: 0, index: 3 }])
    gallery.insert(photo(5, { dataset: 'other', name: 'twice.jpg' }))
    expect(gallery.count).toBe(1000)
  })

  it('takes only what belongs to a search', async () => {
    const gallery = await shown(new Holder([photo(0, { name: 'cat.jpg' }), photo(1)]), { name: 'cat' })
    gallery.insert(photo(2, { name: 'dog.jpg' }), photo(3, { name: 'Cat 2.jpg' }))
    expect(held(gallery)).toEqual(ids([photo(0), photo(3)]))
  })

  it('gives all photos between two, of a day, or of the list, up to a number', async () => {
    const gallery = await shown(new Holder(many(9_000)))
    expect(ids(await gallery.between(photo(5), photo(2), 100))).toEqual(ids(many(4, 2)))
    expect(ids(await gallery.between(photo(10), photo(2500), 10_000))).toEqual(ids(many(2491, 10)))
    expect(await gallery.between(photo(10), photo(2500), 1000)).toHaveLength(1000)
    expect(await gallery.allOf(null, 1500)).toHaveLength(1500)
    expect(new Set((await gallery.allOf('2026-11-20', 10_000)).map(({ id }) => dayOf(id)))).toEqual(new Set(['2026-11-20']))
  })

  it('gives those beside the photo where a range began when it has more than may be', async () => {
    const holder = new Holder(many(9_000))
    const gallery = await shown(holder)
    expect(ids(await gallery.between(photo(10), photo(8_000), 1000))).toEqual(ids(many(1000, 10)))
    expect(ids(await gallery.between(photo(8_000), photo(10), 1000))).toEqual(ids(many(1000, 7001)))
    expect(ids(await gallery.between(photo(60), photo(20), 30))).toEqual(ids(many(30, 31)))
  })

  it('reads no more of a long range than about what it gives', async () => {
    const holder = new Holder(many(60_000))
    const gallery = await shown(holder)
    holder.asked = []
    await gallery.between(photo(59_000), photo(10), 1000)
    expect(holder.asked.filter((what) => what === 'photos').length).toBeLessThanOrEqual(3)
  })

  it('shows only the last of two listings, whichever answers first', async () => {
    const holder = new Holder([photo(0, { name: 'a.jpg' }), photo(1, { name: 'ab.jpg' })])
    const gallery = new Gallery(holder)
    let go = (): void => {}
    holder.waits = new Promise((resolve) => (go = resolve))
    const first = gallery.show({ name: 'a' })
    holder.waits = null
    await gallery.show({ name: 'ab' })
    go()
    await first
    expect(held(gallery)).toEqual([photo(1).id])
  })

  it('keeps what it shows when the server fails, tells the problem, and goes on', async () => {
    const holder = new Holder(many(1000))
    const gallery = await shown(holder)
    holder.fails = new Problem({ code: 'busy' })
    gallery.want({ first: 5, last: 5 })
    await expect.poll(() => gallery.problem).toBe(holder.fails)
    expect(gallery.count).toBe(1000)
    holder.fails = null
    await gallery.refresh()
    await expect.poll(() => gallery.sections[5]?.photos?.length).toBe(SECTION_PHOTOS)
    expect(gallery.problem).toBeNull()
  })

  it('forgets everything after the log-out', async () => {
    const gallery = await shown(new Holder(many(10)))
    gallery.clear()
    expect([gallery.count, gallery.isReady]).toEqual([0, false])
  })
})

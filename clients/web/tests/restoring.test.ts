import { describe, expect, it } from 'vitest'
import { Problem } from '../src/api/problem.ts'
import type { Listing } from '../src/api/client.ts'
import type { Moved, Photo, PhotoPage } from '../src/api/types.ts'
import type { Datasets } from '../src/state/datasets.svelte.ts'
import type { Gallery } from '../src/state/gallery.svelte.ts'
import { Notices } from '../src/state/notices.svelte.ts'
import { portions } from '../src/state/portions.ts'
import { daysLeft } from '../src/state/remaining.ts'
import { Restoring, type Progress } from '../src/state/restoring.svelte.ts'
import { Selection } from '../src/state/selection.svelte.ts'
import { english } from '../src/words/en.ts'
import { formatsOf } from '../src/words/formats.ts'
import { Language } from '../src/words/language.svelte.ts'
import { russian } from '../src/words/ru.ts'

const NOW = Date.parse('2026-11-23T12:00:00Z')
const photo = (id: string): Photo => ({ id, name: `${id}.jpg` }) as Photo
const many = (count: number): Photo[] => Array.from({ length: count }, (_, at) => photo(String(count - at).padStart(6, '0')))

describe('the days that a photo has left', () => {
  it.each([
    ['2026-11-23T12:00:00Z', 30, 30],
    ['2026-11-23T11:59:59Z', 30, 30],
    ['2026-11-22T11:00:00Z', 30, 29],
    ['2026-10-24T12:00:01Z', 30, 1],
    ['2026-10-24T12:00:00Z', 30, 0],
    ['2020-01-01T00:00:00Z', 30, 0],
    ['2026-11-23T12:00:00Z', 0, 0],
    ['2026-11-23T06:00:00Z', 0.5, 1],
  ])('from %s on, where they stay %d days, are %d', (deletedAt, days, left) => expect(daysLeft(deletedAt, days, NOW)).toBe(left))

  it('are no more than there are, where the clock runs late', () => {
    expect(daysLeft('2026-11-25T12:00:00Z', 30, NOW)).toBe(30)
  })

  it('are told in the forms of both languages', () => {
    const { trash: en } = english(formatsOf('en'))
    const { trash: ru } = russian(formatsOf('ru'))
    expect([0, 1, 2].map(en.left)).toEqual(['may go at any time', '1 day left', '2 days left'])
    expect([0, 1, 2, 5, 21].map(ru.left)).toEqual(['удалится в любой момент', 'ещё 1 день', 'ещё 2 дня', 'ещё 5 дней', 'ещё 21 день'])
  })
})

describe('portions', () => {
  it('have a thousand ids at the most, and leave out none', () => {
    const ids = many(2500).map(({ id }) => id)
    const found = [...portions(ids)]
    expect(found.map(({ length }) => length)).toEqual([1000, 1000, 500])
    expect(found.flat()).toEqual(ids)
    expect([...portions([])]).toEqual([])
  })
})

/** A server with photos in its trash; `answer` may say otherwise than that all of them move. */
function trashOf(photos: readonly Photo[], answer: (ids: readonly string[], call: number) => Partial<Moved> = () => ({})) {
  let lying = photos.map(({ id }) => id)
  const asked: string[][] = []
  const progress: (Progress | null)[] = []
  const notices = new Notices()
  const selection = new Selection()
  const restore = async (ids: readonly string[]): Promise<Moved> => {
    asked.push([...ids])
    progress.push(restoring.progress)
    const moved: Moved = { done: [...ids], missing: [], twins: [], ...answer(ids, asked.length) }
    lying = lying.filter((id) => !moved.done.includes(id))
    return moved
  }
  const listPhotos = async ({ cursor, limit = 100 }: Listing): Promise<PhotoPage> => {
    const rest = photos.filter(({ id }) => lying.includes(id) && (!cursor || id < cursor))
    const page = rest.slice(0, limit)
    return { photos: page, next: rest.length > limit ? (page.at(-1)?.id ?? null) : null }
  }
  const trashPhotos = async (ids: readonly string[]): Promise<Moved> => {
    lying = [...ids, ...lying]
    return { done: [...ids], missing: [], twins: [] }
  }
  const removed: string[] = []
  const gallery = {
    get count() {
      return lying.length
    },
    remove: (...ids: string[]) => void removed.push(...ids),
    refresh: async () => {},
  } as unknown as Gallery
  const datasets = { refresh: async () => {} } as unknown as Datasets
  const restoring = new Restoring({
    api: { listPhotos, restorePhotos: restore, trashPhotos }, trash: gallery, photos: gallery, selection, datasets, notices, language: new Language(),
  })
  return { restoring, selection, notices, asked, progress, removed, lying: () => lying }
}

describe('restoring', () => {
  it('of one photo tells its name, and undo moves it back', async () => {
    const { restoring, notices, removed, lying } = trashOf([photo('b'), photo('a')])
    expect(await restoring.some([photo('a')])).toBe(true)
    expect([notices.current?.text, removed, lying()]).toEqual(['a.jpg is back.', ['a'], ['b']])
    await notices.act()
    expect([notices.current?.text, lying()]).toEqual(['1 photo moved to the trash.', ['a', 'b']])
  })

  it('of everything goes on by the thousand and tells how far it is', async () => {
    const { restoring, notices, asked, progress, lying } = trashOf(many(2500))
    expect(await restoring.all()).toBe(true)
    expect(asked.map(({ length }) => length)).toEqual([1000, 1000, 500])
    expect(progress).toEqual([0, 1000, 2000].map((done) => ({ done, total: 2500 })))
    expect([restoring.progress, notices.current?.text, lying()]).toEqual([null, '2,500 photos back in place.', []])
    await notices.act()
    expect(lying()).toHaveLength(2500)
  })

  it('tells of photos that stay and of those that were not there, and chooses them no longer', async () => {
    const { restoring, selection, notices, removed } = trashOf(many(4), () => ({
      done: ['000004'], missing: ['000003'], twins: [{ id: '000002', twin: 'x' }, { id: '000001', twin: 'x' }],
    }))
    selection.add(many(4))
    await restoring.some(many(4))
    expect(notices.current?.text).toBe(
      '1 photo back in place. 2 photos stay in the trash: their datasets hold the same ones already. 1 photo was no longer in the trash.',
    )
    expect([removed, selection.count]).toEqual([['000004', '000003'], 0])
  })

  it('of a twin alone changes nothing and offers no undo', async () => {
    const { restoring, notices } = trashOf([photo('a')], () => ({ done: [], twins: [{ id: 'a', twin: 'x' }] }))
    expect(await restoring.some([photo('a')])).toBe(false)
    expect([notices.current?.text, notices.current?.isTrouble, notices.current?.action]).toEqual([
      '1 photo stays in the trash: its dataset holds the same one already.', true, undefined,
    ])
  })

  it('keeps what was done before a problem, which it tells', async () => {
    const { restoring, notices, lying } = trashOf(many(2500), (_, call) => {
      if (call === 3) throw new Problem({ code: 'busy' })
      return {}
    })
    await restoring.all()
    expect(notices.current?.text).toBe('2,000 photos back in place. The server is busy. Try again in a moment.')
    await notices.act()
    expect(lying()).toHaveLength(2500)
  })

  it('is done once at a time', async () => {
    const { restoring, asked } = trashOf([photo('a')])
    const both = await Promise.all([restoring.some([photo('a')]), restoring.some([photo('a')])])
    expect([both, asked]).toEqual([[true, false], [['a']]])
  })
})

import { describe, expect, it } from 'vitest'
import type { Photo } from '../src/api/types.ts'
import { Choosing } from '../src/state/choosing.ts'
import type { Gallery } from '../src/state/gallery.svelte.ts'
import { Notices } from '../src/state/notices.svelte.ts'
import { Selection } from '../src/state/selection.svelte.ts'
import { Language } from '../src/words/language.svelte.ts'

const photo = (id: string): Photo => ({ id }) as Photo
const ALL = [...'hgfedcba'].map(photo)
const at = (id: string): Photo => photo(id)

/** A gallery of the photos h to a. */
const photos = {
  between: async (one: Photo, other: Photo, most: number) => {
    const [newer, older] = one.id > other.id ? [one, other] : [other, one]
    return ALL.filter(({ id }) => id <= newer.id && id >= older.id).slice(0, most)
  },
  allOf: async (day: string | null, most: number) => (day === null ? ALL : ALL.slice(0, 3)).slice(0, most),
} as unknown as Gallery

function choosing(most = 100) {
  const selection = new Selection()
  const notices = new Notices()
  return { selection, notices, choosing: new Choosing({ photos, selection, notices, language: new Language(), most }) }
}

const chosen = (selection: Selection): string => selection.photos.map(({ id }) => id).toSorted().join('')

describe('choosing', () => {
  it('takes photos one by one and lets them go', () => {
    const { choosing: by, selection } = choosing()
    for (const id of 'cac') by.toggle(at(id))
    expect([chosen(selection), selection.has('a'), selection.has('c')]).toEqual(['a', true, false])
  })

  it('takes a range from the last one, and another in its place', async () => {
    const { choosing: by, selection } = choosing()
    by.toggle(at('h'))
    by.toggle(at('e'))
    await by.extendTo(at('c'))
    expect(chosen(selection)).toBe('cdeh')
    await by.extendTo(at('g'))
    expect(chosen(selection)).toBe('efgh')
  })

  it('begins a range with the photo itself where none was chosen', async () => {
    const { choosing: by, selection } = choosing()
    await by.extendTo(at('d'))
    expect(chosen(selection)).toBe('d')
  })

  it('begins a range at a photo that stays chosen if it is', async () => {
    const { choosing: by, selection } = choosing()
    for (const id of 'hc') by.toggle(at(id))
    expect(by.begin(at('c'))).toBe(true)
    await by.extendTo(at('e'))
    expect(chosen(selection)).toBe('cdeh')
  })

  it('takes no more with a range than fit beside what is chosen, from the anchor on', async () => {
    const { choosing: by, selection, notices } = choosing(5)
    for (const id of 'hgb') by.toggle(at(id))
    await by.extendTo(at('f'))
    expect([chosen(selection), notices.current !== null]).toEqual(['bcdgh', true])
    by.toggle(at('b'))
    by.toggle(at('e'))
    await by.extendTo(at('a'))
    expect(chosen(selection)).toBe('cdegh')
  })

  it('begins no range where there is no room', () => {
    const { choosing: by, selection, notices } = choosing(1)
    by.toggle(at('h'))
    expect(by.begin(at('c'))).toBe(false)
    expect([chosen(selection), notices.current !== null]).toEqual(['h', true])
  })

  it('chooses nothing with a range that comes when all was let go', async () => {
    const { choosing: by, selection } = choosing()
    by.toggle(at('h'))
    const coming = by.extendTo(at('e'))
    selection.clear()
    await coming
    expect(selection.count).toBe(0)
  })

  it('takes a day, and lets it go when all of it is chosen', async () => {
    const { choosing: by, selection } = choosing()
    by.toggle(at('g'))
    await by.toggleDay('2026-11-20')
    expect(chosen(selection)).toBe('fgh')
    await by.toggleDay('2026-11-20')
    expect(selection.count).toBe(0)
  })

  it('takes no more than fit, and says so', async () => {
    const { choosing: by, selection, notices } = choosing(5)
    await by.all()
    expect([selection.count, notices.current?.text]).toEqual([5, '5 photos are selected; more do not fit into one selection.'])
    by.toggle(at('a'))
    expect(selection.has('a')).toBe(false)
    by.toggle(at('h'))
    expect(selection.count).toBe(4)
  })
})

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { ProblemBody } from '../src/api/types.ts'
import { english } from '../src/words/en.ts'
import { formatsOf } from '../src/words/formats.ts'
import { Language, localeFor } from '../src/words/language.svelte.ts'
import { russian } from '../src/words/ru.ts'

const en = english(formatsOf('en'))
const ru = russian(formatsOf('ru'))
const SPECIFICATION = '../../src/albumen/web/openapi.json'
const API_PAGE = '../../docs/http-api.md'
/** Codes that only a terminal or a program that writes its own requests can meet. */
const NOT_ON_THE_PAGE = new Set([
  'no_photos', 'all_rejected', 'unsupported_body', 'dataset_too_late', 'method_not_allowed', 'request_entity_too_large',
  'precondition_failed', 'requested_range_not_satisfiable', 'key_not_found', 'start_refused', 'expectation_failed',
  'not_implemented',
])

/** Every string of a table, with its place; functions are called with words or numbers as they want them. */
function strings(table: object, place = ''): [string, string][] {
  return Object.entries(table).flatMap(([name, value]): [string, string][] => {
    if (typeof value === 'object') return strings(value as object, `${place}${name}.`)
    const text = typeof value === 'function' ? (value as (...values: number[]) => string)(2, 5) : String(value)
    return [[place + name, text]]
  })
}

describe('words', () => {
  it('are the same set in both languages, and none is empty', () => {
    const [inEnglish, inRussian] = [strings(en), strings(ru)]
    expect(inRussian.map(([place]) => place)).toEqual(inEnglish.map(([place]) => place))
    for (const [place, text] of [...inEnglish, ...inRussian]) expect(text.trim(), place).not.toBe('')
  })

  it('are Russian where they are not a name', () => {
    const latin = strings(ru).filter(([, text]) => !/[а-яё]/i.test(text))
    expect(latin.map(([place]) => place)).toEqual(['frame.api', 'grid.totals', 'uploads.formats.csv', 'uploads.formats.json'])
  })

  it('explain every problem that the page can meet, in both languages', () => {
    const specification = JSON.parse(readFileSync(SPECIFICATION, 'utf-8')) as { 'x-problems': Record<string, unknown> }
    const codes = Object.keys(specification['x-problems']).filter((code) => !NOT_ON_THE_PAGE.has(code))
    for (const words of [en, ru]) expect(Object.keys(words.problems)).toEqual(expect.arrayContaining(codes))
  })

  it.each([
    [0, '0 фотографий'], [1, '1 фотография'], [2, '2 фотографии'], [5, '5 фотографий'], [11, '11 фотографий'],
    [21, '21 фотография'], [22, '22 фотографии'], [112, '112 фотографий'],
  ])('count %i photos as Russian does', (count, text) => expect(ru.photos(count)).toBe(text))

  it.each([[0, '0 photos'], [1, '1 photo'], [2, '2 photos'], [12000, '12,000 photos']])(
    'count %i photos as English does',
    (count, text) => expect(en.photos(count)).toBe(text),
  )
})

describe('the end of an upload', () => {
  const ends = (created: number, duplicate: number, rejected: number, failed: number) => ({ created, duplicate, rejected, failed })

  it.each([
    [ends(19, 0, 6, 0), 'Done: 19 new, 6 not taken', 'Готово: 19 новых, 6 не принято'],
    [ends(0, 4, 0, 0), 'Done: 4 there already', 'Готово: 4 уже были'],
    [ends(1, 1, 1, 1), 'Done: 1 new, 1 there already, 1 not taken, 1 not sent', 'Готово: 1 новая, 1 уже была, 1 не принята, 1 не отправлена'],
    [ends(22, 0, 3, 11), 'Done: 22 new, 3 not taken, 11 not sent', 'Готово: 22 новые, 3 не приняты, 11 не отправлено'],
    [ends(0, 0, 0, 0), 'Done', 'Готово'],
  ])('is told with every number that is not zero', (count, inEnglish, inRussian) => {
    expect([en.uploads.finished(count), ru.uploads.finished(count)]).toEqual([inEnglish, inRussian])
  })
})

describe('a language', () => {
  it('is the first one of the reader that the page speaks', () => {
    expect(localeFor(['de-DE', 'ru-RU', 'en'])).toBe('ru')
    expect(localeFor(['en-GB', 'ru'])).toBe('en')
    expect(localeFor(['fr'])).toBe('en')
    expect(localeFor([])).toBe('en')
  })

  it('keeps the words of the server for a problem that it does not know', () => {
    const language = new Language()
    expect(language.explain({ code: 'brand_new', detail: 'The moon is full.' })).toBe('The moon is full.')
    expect(language.explain({ code: 'brand_new', title: 'Moon' })).toBe('Moon')
    expect(language.explain({ code: 'brand_new' })).toBe(en.problems.internal)
    language.locale = 'ru'
    expect(language.explain({ code: 'busy', detail: 'Busy.' })).toBe(ru.problems.busy)
  })
})

describe('a refusal', () => {
  const language = new Language()
  const explained = (problem: ProblemBody): string => language.explain(problem)

  it('names what the file is instead of a photo', () => {
    expect(explained({ code: 'not_a_photo', kind: 'pdf', media_type: null })).toContain('not a photo but a PDF document')
    expect(explained({ code: 'not_a_photo', kind: 'raw_photo', media_type: null })).toContain('A raw photo of a camera is not taken')
    expect(explained({ code: 'not_a_photo', kind: null, media_type: 'image/png' })).toContain('begins as PNG but is damaged')
    expect(explained({ code: 'not_a_photo', kind: null, media_type: null })).toBe(en.problems.not_a_photo)
    expect(explained({ code: 'not_a_photo', kind: 'of the future' })).toBe(en.problems.not_a_photo)
  })

  it('tells the limit of this server', () => {
    expect(explained({ code: 'too_large', limit: 104_857_600 })).toContain('(105 MB)')
    expect(explained({ code: 'too_many_pixels', pixels: 241_500_000, limit: 2e8 })).toContain('has 242 megapixels, this server takes 200')
    expect(explained({ code: 'too_many_frames', limit: 500 })).toContain('500 frames')
    expect(explained({ code: 'too_large' })).toBe(en.problems.too_large)
  })

  it('has a word for every kind of file that the server tells apart', () => {
    const kinds = /`kind` \(`not_a_photo`\): what it is instead: ([^;]+);/.exec(readFileSync(API_PAGE, 'utf-8'))?.[1]
    const told = [...(kinds?.matchAll(/`(\w+)`/g) ?? [])].map(([, kind]) => kind)
    for (const { reasons } of [en, ru]) expect(Object.keys({ ...reasons.pictures, ...reasons.others }).sort()).toEqual(told)
  })
})

describe('formats', () => {
  const { bytes, seconds, pixels } = formatsOf('en')

  it.each([[0, '0 bytes'], [1, '1 byte'], [999, '999 bytes'], [1000, '1 kB'], [1234567, '1.23 MB'], [5e9, '5 GB'], [7e15, '7,000 TB']])(
    'write %i bytes in the unit that fits',
    (count, text) => expect(bytes(count)).toBe(text),
  )

  it('write seconds more exactly the fewer they are', () => {
    expect([0.123, 5.67, 123.4].map(seconds)).toEqual(['0.12s', '5.7s', '123s'])
  })

  it('write a length of time as one tells it', () => {
    const { span } = formatsOf('en')
    expect([0, 40, 59.6, 200, 3599, 7500].map(span)).toEqual(['0 sec', '40 sec', '1 min', '3 min', '1 hr 0 min', '2 hr 5 min'])
    expect(formatsOf('ru').span(200)).toBe('3 мин')
  })

  it('write dates as the region of the reader does', () => {
    const language = new Language()
    language.wishes = ['de-DE', 'en-GB']
    expect(language.formats.day('2026-11-23T12:00:00Z')).toContain('23 November 2026')
    language.locale = 'ru'
    expect(language.formats.day('2026-11-23T12:00:00Z')).toContain('23 ноября 2026')
  })

  it('write pixels with the sign for times', () => expect(pixels(4000, 300)).toBe('4,000 × 300'))
})

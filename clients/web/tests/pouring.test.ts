// The parts of an upload, each for itself.

import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Problem } from '../src/api/problem.ts'
import type { Outcome } from '../src/api/types.ts'
import { Answer } from '../src/api/upload.ts'
import { Sha256 } from '../src/platform/sha256.ts'
import { isJunk, itemOf, type Item } from '../src/state/uploads/item.ts'
import { Meter } from '../src/state/uploads/meter.ts'
import { Pace } from '../src/state/uploads/pace.ts'
import { Queue } from '../src/state/uploads/queue.ts'
import { linksOf, reportOf } from '../src/state/uploads/report.ts'
import { verdictOn, waitMs } from '../src/state/uploads/verdict.ts'

const item = (name: string, part: Partial<Item> = {}): Item => ({ ...itemOf({ name, size: 10 } as File, name, 'main'), ...part })

describe('a digest', () => {
  it.each([0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1000, 100_003])('of %i bytes is that of everybody', (length) => {
    const bytes = randomBytes(length)
    expect(new Sha256().update(bytes).hex()).toBe(createHash('sha256').update(bytes).digest('hex'))
  })

  it('does not depend on how the bytes were cut into chunks', () => {
    const bytes = randomBytes(5000)
    for (const step of [1, 63, 64, 65, 999]) {
      const sum = new Sha256()
      for (let at = 0; at < bytes.length; at += step) sum.update(bytes.subarray(at, at + step))
      expect(sum.hex()).toBe(createHash('sha256').update(bytes).digest('hex'))
    }
  })
})

describe('the answer to a request', () => {
  const line = (index: number): string => `${JSON.stringify({ index, status: 'created', name: 'é.jpg' })}\n`

  it('is taken line by line, however it comes', () => {
    const outcomes: Outcome[] = []
    const answer = new Answer((outcome) => outcomes.push(outcome))
    const text = line(0) + line(1) + line(2)
    for (let end = 0; end <= text.length; end += 7) answer.read(text.slice(0, end))
    answer.read(text)
    expect(outcomes.map(({ index }) => index)).toEqual([0, 1, 2])
    expect([answer.count, answer.problem]).toEqual([3, null])
  })

  it('tells at its end what broke it off', () => {
    const answer = new Answer(() => {})
    answer.read(`${line(0)}{"problem": {"code": "too_many_requests", "status": 429, "retry_after": 7}}\n`)
    expect([answer.count, answer.problem?.code, answer.problem?.retryAfter]).toEqual([1, 'too_many_requests', 7])
  })

  it('of something that is not Albumen counts as no connection', () => {
    for (const text of ['<html>\n', '[1]\n', '"x"\n', '{"a": 1}\n']) {
      const answer = new Answer(() => {})
      answer.read(text)
      expect(answer.problem?.code).toBe('offline')
    }
  })
})

describe('a queue', () => {
  const filled = (...names: string[]): Queue => {
    const queue = new Queue()
    for (const name of names) queue.push(item(name))
    return queue
  }
  const names = (items: readonly Item[]): string[] => items.map(({ path }) => path)

  it('gives files in their order, and first those that were put back', () => {
    const queue = filled('a', 'b', 'c')
    const first = queue.take({ files: 2, bytes: 1000 })
    queue.putBack(first.slice(1))
    expect([names(first), queue.length, names(queue.take({ files: 9, bytes: 1000 })), queue.length]).toEqual([['a', 'b'], 2, ['b', 'c'], 0])
    expect(queue.take({ files: 9, bytes: 1000 })).toEqual([])
  })

  it('gives at least one file, however large', () => {
    expect(names(filled('a', 'b').take({ files: 9, bytes: 1 }))).toEqual(['a'])
  })
})

describe('the pace', () => {
  it('grows with quick full requests up to a bound, and shrinks with slow ones', () => {
    const pace = new Pace()
    pace.succeeded(100, false)
    expect(pace.portion).toEqual({ files: 16, bytes: 4_000_000 })
    for (let i = 0; i < 20; i += 1) pace.succeeded(100, true)
    expect(pace.portion).toEqual({ files: 256, bytes: 64_000_000 })
    pace.succeeded(9000, true)
    expect(pace.portion).toEqual({ files: 128, bytes: 32_000_000 })
  })

  it('is one small request at a time after a trouble, until one comes through', () => {
    const pace = new Pace()
    for (let i = 0; i < 9; i += 1) pace.troubled()
    expect([pace.portion, pace.requests]).toEqual([{ files: 1, bytes: 250_000 }, 1])
    pace.succeeded(100, true)
    expect([pace.portion.files, pace.requests]).toEqual([2, 3])
  })

  it('stays below what a server takes', () => {
    const pace = new Pace()
    pace.limit({ files: 5 })
    for (let i = 0; i < 20; i += 1) pace.succeeded(100, true)
    expect(pace.portion).toEqual({ files: 5, bytes: 64_000_000 })
  })
})

describe('a trouble', () => {
  it.each([
    ['offline', 'again'], ['busy', 'again'], ['too_many_uploads', 'again'], ['too_many_requests', 'again'], ['body_too_slow', 'again'], ['key_required', 'key'],
    ['storage_full', 'halt'], ['role_too_small', 'halt'], ['cross_origin', 'halt'], ['brand_new', 'halt'], ['internal', 'smaller'],
    ['too_many_photos', 'smaller'],
  ])('%s means: %s', (code, verdict) => expect(verdictOn(new Problem({ code }))).toBe(verdict))

  it('is waited for longer each time, up to half a minute, or as long as the server asks', () => {
    expect([1, 2, 3, 99].map((failures) => waitMs(failures, null))).toEqual([1000, 2000, 4000, 30_000])
    expect(waitMs(1, 45)).toBe(45_000)
  })
})

describe('a meter', () => {
  it('tells the growth of the last seconds only', () => {
    const meter = new Meter()
    expect(meter.rate).toBeNull()
    for (let second = 0; second <= 20; second += 1) meter.note(second * 1000, 100 * second)
    for (let second = 21; second <= 40; second += 1) meter.note(second * 1000, 2000 + 5 * (second - 20))
    expect(meter.rate).toBeCloseTo(5)
  })
})

describe('files of systems', () => {
  it.each(['.DS_Store', 'Thumbs.db', 'desktop.ini', '._IMG_1.jpg'])('%s is left out', (name) => expect(isJunk(name)).toBe(true))
  it.each(['.hidden.jpg', 'thumbs.jpg', 'notes.txt', 'DS_Store', 'no ending'])('%s is not one', (name) => expect(isJunk(name)).toBe(false))
})

describe('a report', () => {
  const items = [
    item('=1+1.jpg', { status: 'created', id: '1', link: 'http://h/get/1', digest: 'ab' }),
    item('a "b", c.jpg', { status: 'duplicate', id: '2', link: 'http://h/get/2' }),
    item('notes.txt', { status: 'rejected', problem: { code: 'not_a_photo' } }),
  ]

  it('as text is one link per line', () => {
    expect(reportOf(items, 'txt')).toBe('http://h/get/1\nhttp://h/get/2\n')
    expect(linksOf(items)).toEqual(['http://h/get/1', 'http://h/get/2'])
  })

  it('as CSV runs no formula and keeps commas and quotes', () => {
    const [head, ...lines] = reportOf(items, 'csv').split('\r\n')
    expect(head).toBe('name,path,dataset,status,id,link,sha256,bytes,problem')
    expect(lines).toEqual([
      "'=1+1.jpg,'=1+1.jpg,main,created,1,http://h/get/1,ab,10,",
      '"a ""b"", c.jpg","a ""b"", c.jpg",main,duplicate,2,http://h/get/2,,10,',
      'notes.txt,notes.txt,main,rejected,,,,10,not_a_photo',
      '',
    ])
  })

  it('as JSON has everything about every file', () => {
    const rows = JSON.parse(reportOf(items, 'json')) as Record<string, unknown>[]
    expect(rows.map(({ name, status, problem }) => [name, status, problem])).toEqual([
      ['=1+1.jpg', 'created', null], ['a "b", c.jpg', 'duplicate', null], ['notes.txt', 'rejected', 'not_a_photo'],
    ])
  })
})

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Problem } from '../src/api/problem.ts'
import type { KnownPhoto, Outcome } from '../src/api/types.ts'
import type { UploadOptions } from '../src/api/upload.ts'
import { Uploads } from '../src/state/uploads/uploads.svelte.ts'

type Reply = (files: readonly File[], options: UploadOptions) => Promise<void>

const file = (name: string, size = 10): File => ({ name, size }) as File
const files = (count: number, size = 10): File[] => Array.from({ length: count }, (_, index) => file(`${index}.jpg`, size))
const portion = (chosen: readonly File[]) => [{ files: chosen.map((one) => ({ file: one, path: one.name })), unreadable: [] }]

const accepted = ({ name }: File, index: number): Outcome => ({ index, status: 'created', name, id: name, link: `/get/${name}` }) as Outcome
const takesAll: Reply = async (batch, { onOutcome }) => batch.forEach((one, index) => onOutcome(accepted(one, index)))
const never: Reply = (_, { signal }) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new DOMException('', 'AbortError'))))
const breaks = (code: string, members: object = {}, retryAfter: number | null = null): Reply => async () => {
  throw new Problem({ code, ...members }, retryAfter)
}

/** An upload before a server whose answers can be changed, on a device whose files can go away. */
function pouring(reply: Reply = takesAll) {
  const sent: { names: string[]; dataset: string }[] = []
  const asked: string[] = []
  const server = { reply, holds: new Set<string>(), gone: new Set<string>(), finished: 0, lost: 0 }
  const knownPhoto = (name: string): KnownPhoto => ({ sha256: name, id: name, link: `/get/${name}` })
  const uploads = new Uploads({
    digestOf: async ({ name }) => {
      if (server.gone.has(name)) throw new Error('gone')
      return name
    },
    isReadable: async ({ name }) => !server.gone.has(name),
    known: async (_dataset, digests) => {
      asked.push(...digests)
      return { known: digests.filter((digest) => server.holds.has(digest)).map(knownPhoto) }
    },
    upload: (batch, options) => {
      sent.push({ names: batch.map(({ name }) => name), dataset: options.dataset })
      return server.reply(batch, options)
    },
    now: () => Date.now(),
    breathe: async () => {},
    onOffline: () => void (server.lost += 1),
    onFinished: () => void (server.finished += 1),
  })
  const pour = (chosen: readonly File[], dataset = 'main') => uploads.add(portion(chosen), dataset)
  const soon = (ms = 50) => vi.advanceTimersByTimeAsync(ms)
  const counts = () => {
    const { created, duplicate, rejected, failed, total } = uploads.progress
    return { created, duplicate, rejected, failed, total }
  }
  return { uploads, sent, asked, server, pour, soon, counts }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('an upload', () => {
  it('sends many photos in requests that grow while they are quick', async () => {
    const { uploads, sent, pour, soon, server, counts } = pouring()
    await pour(files(1000), 'cats')
    await soon()
    expect(counts()).toEqual({ created: 1000, duplicate: 0, rejected: 0, failed: 0, total: 1000 })
    expect([sent[0]?.names.length, Math.max(...sent.map(({ names }) => names.length))]).toEqual([16, 256])
    expect([uploads.isRunning, server.finished, uploads.list('created').length]).toEqual([false, 1, 1000])
  })

  it('has three requests under way at most', async () => {
    const { sent, pour, soon } = pouring(never)
    await pour(files(1000))
    await soon()
    expect(sent.length).toBe(3)
  })

  it('keeps a request small in bytes, and one large photo goes alone', async () => {
    const { sent, pour, soon } = pouring()
    await pour([...files(3, 1_900_000), file('large', 90_000_000)])
    await soon()
    expect(sent.map(({ names }) => names.length)).toEqual([2, 1, 1])
  })

  it('never mixes datasets in one request', async () => {
    const { uploads, sent, pour, soon } = pouring()
    await Promise.all([pour(files(2), 'cats'), pour(files(3), 'dogs')])
    await soon()
    expect(sent.map(({ dataset, names }) => [dataset, names.length])).toEqual([['cats', 2], ['dogs', 3]])
    expect(uploads.progress.datasets).toEqual(['cats', 'dogs'])
  })

  it('sends no photo that the dataset holds already', async () => {
    const { sent, asked, server, pour, soon, counts } = pouring()
    for (const { name } of files(300)) server.holds.add(name)
    await pour([...files(300), file('new.jpg')])
    await soon()
    expect(sent.map(({ names }) => names)).toEqual([['new.jpg']])
    expect(asked.length).toBe(301)
    expect(counts()).toMatchObject({ created: 1, duplicate: 300 })
  })

  it('keeps the reason of every photo that is not taken, and does not send empty ones', async () => {
    const reply: Reply = async (_, { onOutcome }) =>
      onOutcome({ index: 0, status: 'rejected', name: 'notes.txt', problem: { code: 'not_a_photo' } })
    const { uploads, sent, soon, counts } = pouring(reply)
    const found = [file('void.jpg', 0), file('notes.txt'), file('.DS_Store'), file('._a.jpg'), file('Thumbs.db')]
    void uploads.add([{ files: found.map((one) => ({ file: one, path: one.name })), unreadable: ['locked.jpg'] }], 'main')
    await soon()
    expect(uploads.list('rejected').map(({ path, problem }) => [path, problem?.code])).toEqual([
      ['locked.jpg', 'unreadable'], ['void.jpg', 'empty'], ['notes.txt', 'not_a_photo'],
    ])
    expect(sent.map(({ names }) => names)).toEqual([['notes.txt']])
    expect([counts().total, uploads.progress.junk]).toEqual([3, 3])
  })

  it('begins to send while folders are still being looked through', async () => {
    const { uploads, sent, soon } = pouring()
    let goOn: () => void = () => {}
    async function* portions() {
      yield* portion(files(3))
      await new Promise<void>((resolve) => (goOn = resolve))
      yield* portion([file('last.jpg')])
    }
    void uploads.add(portions(), 'main')
    await soon()
    expect([sent.length, uploads.progress.isReading, uploads.isRunning]).toEqual([1, true, true])
    goOn()
    await soon()
    expect([uploads.progress.created, uploads.isRunning]).toEqual([4, false])
  })

  it('counts anew when another one begins, whose list goes on until it is cleared', async () => {
    const { uploads, pour, soon, counts } = pouring()
    await pour(files(5))
    await soon()
    const { bytes } = uploads.progress
    await pour([file('next.jpg')])
    await soon()
    expect(counts()).toMatchObject({ created: 1, total: 1 })
    expect(uploads.progress.listed).toMatchObject({ created: 6, settled: 6, total: 6 })
    expect([uploads.progress.bytes, uploads.progress.doneBytes]).toEqual([bytes / 5, bytes / 5])
    expect(uploads.list(null).map(({ path }) => path)).toEqual(['0.jpg', '1.jpg', '2.jpg', '3.jpg', '4.jpg', 'next.jpg'])
    uploads.clear()
    expect([uploads.progress.listed.total, uploads.list(null)]).toEqual([0, []])
  })

  it('counts bytes that have left and bytes that are done', async () => {
    const { uploads, pour, soon } = pouring(async (_, { onProgress, signal }) => {
      onProgress(0.5)
      await never([], { signal } as UploadOptions)
    })
    await pour(files(2, 1000))
    await soon(400)
    expect(uploads.progress).toMatchObject({ bytes: 2000, doneBytes: 1000, sentBytes: 1000, settled: 0 })
  })
})

describe('a connection that is lost', () => {
  it('is waited for, twice as long each time, and the upload goes on by itself', async () => {
    const { uploads, sent, server, pour, soon, counts } = pouring(breaks('offline'))
    await pour(files(40))
    await soon()
    expect([uploads.progress.hold?.why, server.lost]).toEqual(['again', 1])
    expect(uploads.progress.retryIn).toBeGreaterThan(0.5)
    const before = sent.length
    await soon(1000)
    expect(sent.length).toBe(before + 1) // alone, to feel its way
    await soon(1000)
    expect(sent.length).toBe(before + 1)
    server.reply = takesAll
    await soon(2000)
    expect([counts().created, uploads.progress.hold, uploads.isRunning]).toEqual([40, null, false])
  })

  it('does not make new photos duplicates that had arrived before it broke', async () => {
    const { sent, server, pour, soon, counts } = pouring(async (batch) => {
      for (const { name } of batch) server.holds.add(name)
      throw new Problem({ code: 'offline' })
    })
    await pour(files(3))
    await soon(2000)
    expect(sent.length).toBe(1)
    expect(counts()).toMatchObject({ created: 3, duplicate: 0 })
  })

  it('is tried at once when the server is back', async () => {
    const { uploads, server, pour, soon, counts } = pouring(breaks('offline'))
    await pour(files(3))
    await soon()
    server.reply = takesAll
    uploads.serverIsBack()
    await soon()
    expect(counts().created).toBe(3)
  })

  it('keeps what was taken before it broke', async () => {
    const { sent, server, pour, soon, counts } = pouring(async (batch, { onOutcome }) => {
      onOutcome(accepted(batch[0]!, 0))
      server.reply = takesAll
      throw new Problem({ code: 'malformed_body' })
    })
    await pour(files(3))
    await soon(2000)
    expect(sent.map(({ names }) => names)).toEqual([['0.jpg', '1.jpg', '2.jpg'], ['1.jpg', '2.jpg']])
    expect(counts()).toMatchObject({ created: 3 })
  })
})

describe('a server', () => {
  it('that is busy is asked again when it says so', async () => {
    const { uploads, sent, server, pour, soon, counts } = pouring(breaks('too_many_uploads', {}, 5))
    await pour(files(2))
    await soon(4900)
    expect(sent.length).toBe(1)
    server.reply = takesAll
    uploads.serverIsBack() // it was never away
    await soon(50)
    expect(sent.length).toBe(1)
    await soon(150)
    expect([counts().created, server.lost]).toEqual([2, 0])
  })

  it('that takes one request at a time gets one at a time from then on', async () => {
    let under = 0
    const refused: number[] = []
    const { pour, soon, counts } = pouring(async (batch, options) => {
      if (under > 0) {
        refused.push(Date.now())
        throw new Problem({ code: 'too_many_uploads' }, 5)
      }
      under += 1
      await new Promise((resolve) => setTimeout(resolve, 100))
      under -= 1
      await takesAll(batch, options)
    })
    await pour(files(500))
    await soon(15_000)
    expect([counts().created, refused.length]).toEqual([500, 2])
  })

  it('without space stops the upload until a person lets it go on', async () => {
    const { uploads, sent, server, pour, soon, counts } = pouring(breaks('storage_full', {}, 5))
    await pour(files(2))
    await soon(60_000)
    expect([sent.length, uploads.progress.hold?.why]).toEqual([1, 'trouble'])
    server.reply = takesAll
    uploads.resume()
    await soon()
    expect(counts().created).toBe(2)
  })

  it('that wants a key gets the rest as soon as there is one', async () => {
    const { uploads, server, pour, soon, counts } = pouring(breaks('key_required'))
    await pour(files(40))
    await soon(60_000)
    expect(uploads.progress.hold?.why).toBe('key')
    server.reply = takesAll
    uploads.keyEntered()
    await soon()
    expect(counts()).toMatchObject({ created: 40, failed: 0 })
  })

  it('that takes fewer photos in a request gets as many as it takes', async () => {
    const { sent, pour, soon, counts } = pouring(async (batch, options) => {
      await takesAll(batch.slice(0, 5), options)
      if (batch.length > 5) throw new Problem({ code: 'too_many_photos', limit: 5 })
    })
    await pour(files(100))
    await soon()
    expect(counts().created).toBe(100)
    expect(sent.slice(3).every(({ names }) => names.length <= 11)).toBe(true)
    expect(sent.at(-1)?.names.length).toBeLessThanOrEqual(5)
  })

  it('behind a proxy that takes small requests only gets small ones, and what is too large alone is told', async () => {
    const { uploads, pour, soon, counts } = pouring(async (batch, options) => {
      if (batch.reduce((sum, { size }) => sum + size, 0) > 1_000_000) throw new Problem({ code: 'offline', status: 413 })
      await takesAll(batch, options)
    })
    await pour([...files(20, 300_000), file('large', 2_000_000)])
    await soon()
    expect(counts()).toMatchObject({ created: 20, failed: 1 })
    expect(uploads.list('failed')[0]?.problem?.code).toBe('too_large')
  })

  it('that stumbles over one photo gets all others', async () => {
    const { uploads, pour, soon, counts } = pouring(async (batch, options) => {
      if (batch.some(({ name }) => name === '7.jpg')) throw new Problem({ code: 'internal' })
      await takesAll(batch, options)
    })
    await pour(files(30))
    await soon(60_000)
    expect(counts()).toMatchObject({ created: 29, failed: 1 })
    expect(uploads.list('failed').map(({ path }) => path)).toEqual(['7.jpg'])
  })

  it('that stumbles over everything is left alone until a person says so', async () => {
    const { uploads, sent, pour, soon } = pouring(breaks('internal'))
    await pour(files(200))
    await soon(600_000)
    expect(uploads.progress.hold).toMatchObject({ why: 'trouble', problem: { code: 'internal' } })
    expect(sent.length).toBeLessThan(20)
  })
})

describe('files that change while they wait', () => {
  it('are told, and all others arrive', async () => {
    const { uploads, server, pour, soon, counts } = pouring()
    server.gone.add('1.jpg')
    await pour(files(3))
    await soon()
    expect(counts()).toMatchObject({ created: 2, failed: 1 })
    expect(uploads.list('failed')[0]?.problem?.code).toBe('changed')
  })

  it('after their digest was taken, too', async () => {
    const { sent, server, pour, soon, counts } = pouring(async (batch, options) => {
      if (!batch.some(({ name }) => name === '1.jpg')) return takesAll(batch, options)
      server.gone.add('1.jpg')
      throw new Problem({ code: 'offline' })
    })
    await pour(files(3))
    await soon()
    expect(counts()).toMatchObject({ created: 2, failed: 1 })
    expect(sent.map(({ names }) => names.length)).toEqual([3, 2])
    expect(server.lost).toBe(0)
  })
})

describe('a person', () => {
  it('can pause and go on', async () => {
    const { uploads, sent, server, pour, soon, counts } = pouring(never)
    await pour(files(200))
    await soon()
    uploads.pause()
    await soon(60_000)
    expect([uploads.progress.hold?.why, uploads.isRunning, sent.length]).toEqual(['paused', true, 3])
    const { seconds } = uploads.progress
    await soon(60_000)
    expect(uploads.progress.seconds).toBe(seconds)
    server.reply = takesAll
    uploads.resume()
    await soon()
    expect(counts()).toMatchObject({ created: 200, failed: 0 })
  })

  it('can stop for good and send the rest after all', async () => {
    const { uploads, server, pour, soon, counts } = pouring(never)
    await pour(files(200))
    await soon()
    uploads.cancel()
    await soon()
    expect(counts()).toMatchObject({ created: 0, failed: 200 })
    expect([uploads.isRunning, server.finished, uploads.list('failed')[0]?.problem?.code]).toEqual([false, 1, 'stopped'])
    server.reply = takesAll
    uploads.retry()
    await soon()
    expect(counts()).toMatchObject({ created: 200, failed: 0, total: 200 })
  })

  it('sends again only what failed', async () => {
    const { uploads, sent, server, pour, soon, counts } = pouring()
    server.gone.add('1.jpg')
    await pour(files(3))
    await soon()
    server.gone.clear()
    uploads.retry()
    await soon()
    expect(sent.map(({ names }) => names)).toEqual([['0.jpg', '2.jpg'], ['1.jpg']])
    expect(counts()).toEqual({ created: 3, duplicate: 0, rejected: 0, failed: 0, total: 3 })
  })

  it('can forget everything while it is under way', async () => {
    const { uploads, server, pour, soon, counts } = pouring(never)
    await pour(files(200))
    await soon()
    uploads.clear()
    await soon()
    expect(counts()).toEqual({ created: 0, duplicate: 0, rejected: 0, failed: 0, total: 0 })
    expect(uploads.isRunning).toBe(false)
    server.reply = takesAll
    await pour(files(2))
    await soon()
    expect(counts()).toMatchObject({ created: 2, total: 2 })
  })

  it('who stops while folders are looked through is not sent more', async () => {
    const { uploads, sent, soon, counts } = pouring(never)
    let goOn: () => void = () => {}
    async function* portions() {
      yield* portion(files(2))
      await new Promise<void>((resolve) => (goOn = resolve))
      yield* portion(files(100))
    }
    void uploads.add(portions(), 'main')
    await soon()
    uploads.cancel()
    goOn()
    await soon()
    expect([sent.length, counts().failed, uploads.isRunning]).toEqual([1, 2, false])
  })
})

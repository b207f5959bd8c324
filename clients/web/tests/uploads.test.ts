import { describe, expect, it } from 'vitest'
import { Problem } from '../src/api/problem.ts'
import type { Outcome } from '../src/api/types.ts'
import type { UploadAnswer, UploadOptions } from '../src/api/upload.ts'
import { Uploads } from '../src/state/uploads.svelte.ts'

type Sent = { names: string[]; dataset: string }
type Reply = (files: readonly File[], options: UploadOptions) => Promise<UploadAnswer>

const file = (name: string, size = 10): File => ({ name, size }) as File
const files = (count: number, size = 10): File[] => Array.from({ length: count }, (_, index) => file(`${index}.jpg`, size))

const accepted = (name: string, index: number, status: 'created' | 'duplicate' = 'created'): Outcome =>
  ({ index, status, name, link: `/get/${name}` }) as Outcome

const report = (photos: Outcome[], problem: Problem | null = null): UploadAnswer => ({
  dataset: 'main', created: 0, duplicate: 0, rejected: 0, photos, problem,
})

const takesAll: Reply = async (batch) => report(batch.map(({ name }, index) => accepted(name, index)))

/** An upload queue before a server that answers so; `finished` waits until the queue is empty. */
function queue(reply: Reply) {
  const sent: Sent[] = []
  let end: () => void = () => {}
  let finished = new Promise<void>((resolve) => (end = resolve))
  const uploads = new Uploads({
    upload: (batch, options) => {
      sent.push({ names: batch.map(({ name }) => name), dataset: options.dataset })
      return reply(batch, options)
    },
    now: () => 0,
    onFinished: () => {
      end()
      finished = new Promise((resolve) => (end = resolve))
    },
  })
  return { uploads, sent, finished: () => finished }
}

describe('an upload', () => {
  it('sends many photos in batches and counts them', async () => {
    const { uploads, sent, finished } = queue(takesAll)
    uploads.add(files(120), 'cats')
    await finished()
    expect(sent.map(({ names }) => names.length)).toEqual([50, 50, 20])
    expect([uploads.created, uploads.taken, uploads.total, uploads.links.length]).toEqual([120, 120, 120, 120])
    expect(uploads.isRunning).toBe(false)
  })

  it('keeps a batch small in bytes, and one large photo goes alone', async () => {
    const { uploads, sent, finished } = queue(takesAll)
    uploads.add([...files(3, 7_000_000), file('large', 90_000_000)], 'main')
    await finished()
    expect(sent.map(({ names }) => names.length)).toEqual([2, 1, 1])
  })

  it('never mixes datasets in one request', async () => {
    const { uploads, sent, finished } = queue(takesAll)
    uploads.add(files(2), 'cats')
    uploads.add(files(3), 'dogs')
    await finished()
    expect(sent.map(({ dataset, names }) => [dataset, names.length])).toEqual([['cats', 2], ['dogs', 3]])
  })

  it('counts duplicates and keeps the reason of every photo that is not taken', async () => {
    const rejected: Outcome = { index: 1, status: 'rejected', name: 'notes.txt', problem: { code: 'not_a_photo' } }
    const { uploads, finished } = queue(async () => report([accepted('a', 0, 'duplicate'), rejected]))
    uploads.add(files(2), 'main', ['locked.jpg'])
    await finished()
    expect([uploads.created, uploads.duplicate, uploads.taken, uploads.total]).toEqual([0, 1, 3, 3])
    expect(uploads.reasons.map(({ name, problem }) => [name, problem.code])).toEqual([
      ['locked.jpg', 'unreadable'], ['notes.txt', 'not_a_photo'],
    ])
  })

  it('sends again only what failed, in smaller batches', async () => {
    let isReached = false
    const { uploads, sent, finished } = queue(async (...call) => {
      if (isReached || call[0][0]?.name === '0.jpg') return takesAll(...call)
      throw new Problem({ code: 'offline' })
    })
    uploads.add(files(70), 'main')
    await finished()
    expect([uploads.created, uploads.failed.length, uploads.problem?.code]).toEqual([50, 20, 'offline'])
    isReached = true
    uploads.retry()
    await finished()
    expect(sent.slice(2).map(({ names }) => names.length)).toEqual([6, 6, 6, 2])
    expect([uploads.created, uploads.failed.length, uploads.problem]).toEqual([70, 0, null])
  })

  it('keeps what was taken before a request broke off, and the rest can be sent again', async () => {
    const problem = new Problem({ code: 'storage_full' })
    const { uploads, finished } = queue(async () => report([accepted('0.jpg', 0)], problem))
    uploads.add(files(3), 'main')
    await finished()
    expect([uploads.created, uploads.failed.map((waiting) => waiting.file.name)]).toEqual([1, ['1.jpg', '2.jpg']])
    expect(uploads.problem).toBe(problem)
  })

  it('that is stopped keeps what it did not send', async () => {
    const { uploads, finished } = queue((_, { signal }) => new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new DOMException('', 'AbortError')))
    }))
    uploads.add(files(200), 'main')
    const done = finished()
    uploads.stop()
    await done
    expect([uploads.isStopped, uploads.failed.length, uploads.problem]).toEqual([true, 200, null])
  })
})

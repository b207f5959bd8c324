// Photos on their way in: sent in batches, counted, and sent again when the connection failed.

import type { UploadAnswer, UploadOptions } from '../api/upload.ts'
import { asProblem, type Problem } from '../api/problem.ts'
import type { ProblemBody } from '../api/types.ts'

const BATCH_FILES = 50
const BATCH_BYTES = 16_000_000
const SENDERS = 2
const TICK_MS = 200
/** The share of a batch that a retry sends at once, so that one file that cannot be read does not hold back the others. */
const RETRY_SHARE = 8

export interface Waiting {
  file: File
  dataset: string
}

export interface Reason {
  name: string
  problem: ProblemBody
}

export interface UploadMeans {
  upload: (files: readonly File[], options: UploadOptions) => Promise<UploadAnswer>
  /** Milliseconds of a clock that never goes back. */
  now: () => number
  /** Called when the queue has become empty. */
  onFinished: () => void
}

export class Uploads {
  created = $state(0)
  duplicate = $state(0)
  /** Photos that have an outcome. */
  taken = $state(0)
  total = $state(0)
  seconds = $state(0)
  links: readonly string[] = $state.raw([])
  reasons: readonly Reason[] = $state.raw([])
  failed: readonly Waiting[] = $state.raw([])
  problem: Problem | null = $state.raw(null)
  isStopped = $state(false)
  #queue: Waiting[] = []
  #batchFiles = BATCH_FILES
  #abort: AbortController | null = $state.raw(null)
  readonly #means: UploadMeans

  constructor(means: UploadMeans) {
    this.#means = means
  }

  get isRunning(): boolean {
    return this.#abort !== null
  }

  /** Puts files into the queue and starts to send. `unreadable` are names of files that the device withholds. */
  add(files: readonly File[], dataset: string, unreadable: readonly string[] = []): void {
    if (files.length + unreadable.length === 0) return
    if (!this.isRunning && this.failed.length === 0) this.clear()
    for (const file of files) this.#queue.push({ file, dataset })
    this.reasons = [...this.reasons, ...unreadable.map((name) => ({ name, problem: { code: 'unreadable' } }))]
    this.total += files.length + unreadable.length
    this.taken += unreadable.length
    if (!this.isRunning) void this.#run()
  }

  /** Sends again what failed, in smaller batches. */
  retry(): void {
    this.#batchFiles = Math.max(1, Math.floor(this.#batchFiles / RETRY_SHARE))
    this.#queue.push(...this.failed)
    this.failed = []
    if (!this.isRunning) void this.#run()
  }

  stop(): void {
    this.#abort?.abort()
  }

  /** Forgets a finished upload. */
  clear(): void {
    this.created = this.duplicate = this.taken = this.total = this.seconds = 0
    this.links = this.reasons = this.failed = []
    this.problem = null
    this.isStopped = false
    this.#batchFiles = BATCH_FILES
  }

  async #run(): Promise<void> {
    const started = this.#means.now() - this.seconds * 1000
    const tick = (): void => void (this.seconds = (this.#means.now() - started) / 1000)
    const abort = new AbortController()
    this.#abort = abort
    this.isStopped = false
    this.problem = null
    const clock = setInterval(tick, TICK_MS)
    await Promise.all(Array.from({ length: SENDERS }, () => this.#sendAll(abort.signal)))
    clearInterval(clock)
    tick()
    this.#abort = null
    this.#means.onFinished()
  }

  async #sendAll(signal: AbortSignal): Promise<void> {
    while (this.#queue.length > 0 && !signal.aborted) await this.#send(this.#takeBatch(), signal)
    if (!signal.aborted) return
    this.isStopped = true
    this.failed = [...this.failed, ...this.#queue.splice(0)]
  }

  /** Sizes are read here and not before: browsers ask the disk for each, which would freeze the page for thousands. */
  #takeBatch(): Waiting[] {
    const dataset = this.#queue[0]?.dataset
    let bytes = 0
    const end = this.#queue.findIndex((waiting, index) => {
      bytes += waiting.file.size
      return index === this.#batchFiles || waiting.dataset !== dataset || (index > 0 && bytes > BATCH_BYTES)
    })
    return this.#queue.splice(0, end === -1 ? this.#queue.length : end)
  }

  async #send(batch: Waiting[], signal: AbortSignal): Promise<void> {
    try {
      const files = batch.map(({ file }) => file)
      this.#count(batch, await this.#means.upload(files, { dataset: batch[0]?.dataset ?? '', signal }))
    } catch (error) {
      this.failed = [...this.failed, ...batch]
      if (!signal.aborted) this.problem = asProblem(error)
    }
  }

  #count(batch: readonly Waiting[], { photos, problem }: UploadAnswer): void {
    for (const outcome of photos) {
      if (outcome.status !== 'rejected') this[outcome.status] += 1
    }
    this.links = [...this.links, ...photos.flatMap((outcome) => (outcome.status === 'rejected' ? [] : [outcome.link]))]
    this.reasons = [...this.reasons, ...photos.filter((outcome) => outcome.status === 'rejected')]
    this.taken += photos.length
    this.failed = [...this.failed, ...batch.slice(photos.length)]
    if (problem) this.problem = problem
  }
}

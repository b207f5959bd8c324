import { isAbort, type Problem } from '../../api/problem.ts'
import type { KnownPhoto, Outcome } from '../../api/types.ts'
import type { UploadOptions } from '../../api/upload.ts'
import type { Item } from './item.ts'
import type { Ledger } from './ledger.ts'

export interface DeliveryMeans {
  /** The SHA-256 of a file in hex, null where it cannot be found out; rejects when the file cannot be read any more. */
  digestOf: (file: File) => Promise<string | null>
  isReadable: (file: File) => Promise<boolean>
  /** Which of these digests a dataset holds. */
  known: (dataset: string, digests: readonly string[], signal: AbortSignal) => Promise<{ known: KnownPhoto[] }>
  upload: (files: readonly File[], options: UploadOptions) => Promise<void>
  /** Milliseconds of a clock that never goes back. */
  now: () => number
}

/** Some files of one dataset on their way: their digests, the question which are there already, and one request with the rest. */
export class Delivery {
  readonly items: readonly Item[]
  /** Bytes of photos that have left in the request. */
  sentBytes = 0
  readonly #means: DeliveryMeans
  readonly #ledger: Ledger
  readonly #signal: AbortSignal

  constructor(items: readonly Item[], means: DeliveryMeans, ledger: Ledger, signal: AbortSignal) {
    this.items = items
    this.#means = means
    this.#ledger = ledger
    this.#signal = signal
  }

  get waiting(): Item[] {
    return this.items.filter(({ status }) => status === 'waiting')
  }

  /** Bytes that have left for photos without an outcome yet. */
  get pendingBytes(): number {
    const settled = this.items.reduce((sum, { status, bytes }) => sum + (status === 'waiting' ? 0 : bytes), 0)
    return Math.max(0, this.sentBytes - settled)
  }

  /**
   * Brings every file to an outcome; returns the milliseconds that the request took, null when none was needed. Throws the Problem
   * that it broke off with, and AbortError; files without an outcome wait on.
   */
  async run(): Promise<number | null> {
    await Promise.all(this.waiting.map((item) => this.#digest(item)))
    this.#signal.throwIfAborted()
    await this.#ask()
    const items = this.waiting
    if (items.length === 0) return null
    const started = this.#means.now()
    try {
      await this.#send(items)
    } catch (error) {
      await this.#examine(error as Problem)
    }
    return this.#means.now() - started
  }

  async #digest(item: Item): Promise<void> {
    if (item.digest !== null) return
    item.digest = await this.#means.digestOf(item.file).catch(() => {
      this.#fail(item)
      return null
    })
  }

  async #ask(): Promise<void> {
    const items = this.waiting.filter(({ digest }) => digest !== null)
    if (items.length === 0) return
    const digests = items.map(({ digest }) => digest as string)
    const { known } = await this.#means.known(items[0]!.dataset, digests, this.#signal)
    const photos = new Map(known.map((photo) => [photo.sha256, photo]))
    for (const item of items) {
      const photo = photos.get(item.digest as string)
      if (photo && item.status === 'waiting') this.#ledger.accept(item, 'duplicate', photo)
    }
  }

  #send(items: readonly Item[]): Promise<void> {
    const bytes = items.reduce((sum, item) => sum + item.bytes, 0)
    const already = this.sentBytes
    return this.#means.upload(items.map(({ file }) => file), {
      dataset: items[0]!.dataset,
      signal: this.#signal,
      onProgress: (share) => (this.sentBytes = already + Math.round(share * bytes)),
      onOutcome: (outcome) => this.#take(items[outcome.index], outcome),
    })
  }

  #take(item: Item | undefined, outcome: Outcome): void {
    if (item?.status !== 'waiting') return
    if (outcome.status === 'rejected') this.#ledger.refuse(item, 'rejected', outcome.problem)
    else this.#ledger.accept(item, outcome.status, outcome)
  }

  /** Browsers report a file that was changed or removed as a broken connection: looks which it was. */
  async #examine(problem: Problem): Promise<void> {
    const items = this.waiting
    for (const item of items) item.isInDoubt = item.digest !== null
    if (isAbort(problem) || problem.code !== 'offline') throw problem
    const areReadable = await Promise.all(items.map(({ file }) => this.#means.isReadable(file)))
    const lost = items.filter((item, index) => !areReadable[index] && item.status === 'waiting')
    if (lost.length === 0) throw problem
    lost.forEach((item) => this.#fail(item))
  }

  #fail(item: Item): void {
    if (item.status === 'waiting') this.#ledger.refuse(item, 'failed', { code: 'changed' })
  }
}


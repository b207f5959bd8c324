import type { Portion } from './queue.ts'

const FIRST: Portion = { files: 16, bytes: 4_000_000 }
/** More would gain nothing; and some browsers read no answer before the last byte has left, while outcomes pile up at the server. */
const MOST: Portion = { files: 256, bytes: 64_000_000 }
const LEAST: Portion = { files: 1, bytes: 250_000 }
const QUICK_MS = 1000
const SLOW_MS = 4000
const REQUESTS = 3
const GROWTH = 2
const SHRINKING = 4

/** How much is sent in a request and how many at a time, learnt from how long they take. */
export class Pace {
  portion: Portion = FIRST
  requests = REQUESTS
  #most: Portion = MOST
  #mostRequests = REQUESTS

  /** A request came through in that time; `isFull` when it carried as much as it was allowed to. */
  succeeded(ms: number, isFull: boolean): void {
    this.requests = this.#mostRequests
    if (ms < QUICK_MS && isFull) this.#scale(GROWTH)
    if (ms > SLOW_MS) this.#scale(1 / GROWTH)
  }

  /** A request broke off: the next ones feel their way. */
  troubled(): void {
    this.requests = 1
    this.#scale(1 / SHRINKING)
  }

  /** The server, or what stands in front of it, takes no more than that in a request. */
  limit(most: Partial<Portion>): void {
    this.#most = { ...this.#most, ...most }
    this.#scale(1)
  }

  /** The server takes no more requests at a time, of all or of this address. */
  limitRequests(requests: number): void {
    this.#mostRequests = Math.max(1, Math.min(this.#mostRequests, requests))
    this.requests = this.#mostRequests
  }

  #scale(factor: number): void {
    const within = (value: number, least: number, most: number): number => Math.round(Math.max(least, Math.min(most, value * factor)))
    const { files, bytes } = this.portion
    this.portion = { files: within(files, LEAST.files, this.#most.files), bytes: within(bytes, LEAST.bytes, this.#most.bytes) }
  }
}

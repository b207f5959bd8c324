import type { ProblemBody } from '../../api/types.ts'
import type { Item, Status } from './item.ts'

/** Numbers of files. */
export interface Counts {
  total: number
  /** Those with an outcome, and those that failed. */
  settled: number
  created: number
  duplicate: number
  rejected: number
  failed: number
}

export const NONE: Counts = { total: 0, settled: 0, created: 0, duplicate: 0, rejected: 0, failed: 0 }

/** What has come since there were `before`. */
export const since = (before: Counts, now: Counts): Counts => ({
  total: now.total - before.total,
  settled: now.settled - before.settled,
  created: now.created - before.created,
  duplicate: now.duplicate - before.duplicate,
  rejected: now.rejected - before.rejected,
  failed: now.failed - before.failed,
})

/** Every file that was taken in, and what became of it. */
export class Ledger {
  all: Item[] = []
  bytes = 0
  /** Bytes of the files that have an outcome or failed. */
  settledBytes = 0
  readonly datasets = new Set<string>()
  /** Files that were left out because no person means them. */
  junk = 0
  readonly #lists: Record<Exclude<Status, 'waiting'>, Item[]> = { created: [], duplicate: [], rejected: [], failed: [] }

  /** The files of a status, in the order in which they came to it; all of them, in their own order, for null. */
  list(status: Exclude<Status, 'waiting'> | null): readonly Item[] {
    return status === null ? this.all : this.#lists[status]
  }

  counts(): Counts {
    const { created, duplicate, rejected, failed } = this.#lists
    const counted = { created: created.length, duplicate: duplicate.length, rejected: rejected.length, failed: failed.length }
    const settled = Object.values(counted).reduce((sum, count) => sum + count, 0)
    return { ...counted, settled, total: this.all.length }
  }

  add(item: Item): void {
    this.all.push(item)
    this.datasets.add(item.dataset)
    this.bytes += item.bytes
  }

  /** The server has the photo. */
  accept(item: Item, status: 'created' | 'duplicate', { id, link }: { id: string; link: string }): void {
    const isOurs = status === 'duplicate' && item.isInDoubt // an earlier request of ours brought it there
    Object.assign(item, { id, link })
    this.#settle(item, isOurs ? 'created' : status)
  }

  refuse(item: Item, status: 'rejected' | 'failed', problem: ProblemBody): void {
    item.problem = problem
    this.#settle(item, status)
  }

  /** Lets everything that failed wait again, and returns it. */
  reopen(): Item[] {
    const failed = this.#lists.failed.splice(0)
    for (const item of failed) {
      Object.assign(item, { status: 'waiting', problem: null, tries: 0 } satisfies Partial<Item>)
      this.settledBytes -= item.bytes
    }
    return failed
  }

  #settle(item: Item, status: Exclude<Status, 'waiting'>): void {
    item.status = status
    this.#lists[status].push(item)
    this.settledBytes += item.bytes
  }
}

import type { ProblemBody } from '../../api/types.ts'
import type { Item, Status } from './item.ts'

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

  counts() {
    const { created, duplicate, rejected, failed } = this.#lists
    const counted = { created: created.length, duplicate: duplicate.length, rejected: rejected.length, failed: failed.length }
    const settled = Object.values(counted).reduce((sum, count) => sum + count, 0)
    return { ...counted, settled, total: this.all.length, junk: this.junk, bytes: this.bytes, datasets: [...this.datasets] }
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

import type { Item } from './item.ts'

/** How much one request may carry. */
export interface Portion {
  files: number
  bytes: number
}

/** Files that wait to be sent, first in, first out; what is put back comes first. */
export class Queue {
  #items: Item[] = []
  #at = 0

  get length(): number {
    return this.#items.length - this.#at
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  putBack(items: readonly Item[]): void {
    if (items.length > 0) this.#items = [...items, ...this.takeAll()]
  }

  /** Takes files of one dataset, up to that portion, but at least one; none from an empty queue. */
  take({ files, bytes }: Portion): Item[] {
    const start = this.#at
    const first = this.#items[start]
    let sum = 0
    while (this.#at < this.#items.length && this.#at - start < files) {
      const item = this.#items[this.#at]!
      sum += item.bytes
      if (item.dataset !== first?.dataset || (this.#at > start && sum > bytes)) break
      this.#at += 1
    }
    return this.#items.slice(start, this.#at)
  }

  takeAll(): Item[] {
    const rest = this.#items.slice(this.#at)
    this.#items = []
    this.#at = 0
    return rest
  }
}

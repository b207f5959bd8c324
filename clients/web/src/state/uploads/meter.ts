const WINDOW_MS = 10_000
const LEAST_MS = 1000

/** The rate of a growing number over the last seconds. */
export class Meter {
  #marks: { at: number; value: number }[] = []

  /** Notes the number at a time in milliseconds. */
  note(at: number, value: number): void {
    this.#marks.push({ at, value })
    const stale = this.#marks.findIndex((mark) => mark.at >= at - WINDOW_MS)
    if (stale > 0) this.#marks.splice(0, stale)
  }

  /** Growth per second; null while too little is known. */
  get rate(): number | null {
    const [first, last] = [this.#marks[0], this.#marks.at(-1)]
    if (!first || !last || last.at - first.at < LEAST_MS) return null
    return Math.max(0, ((last.value - first.value) * 1000) / (last.at - first.at))
  }

  reset(): void {
    this.#marks = []
  }
}

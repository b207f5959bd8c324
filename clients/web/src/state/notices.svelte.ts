/** A sentence at the edge of the page, with one thing that can be done about it. */
export interface Notice {
  text: string
  action?: { label: string; run: () => void | Promise<void> }
  isTrouble?: boolean
}

const SHOWN_MS = 10_000

/** One notice at a time; a new one takes the place of the old. It stays while a person is at it. */
export class Notices {
  current: Notice | null = $state.raw(null)
  #end: ReturnType<typeof setTimeout> | undefined

  show(notice: Notice): void {
    this.current = notice
    this.resume()
  }

  /** Keeps the notice, as the pointer or the focus is on it. */
  hold(): void {
    clearTimeout(this.#end)
  }

  resume(): void {
    clearTimeout(this.#end)
    this.#end = setTimeout(() => this.dismiss(), SHOWN_MS)
  }

  dismiss(): void {
    clearTimeout(this.#end)
    this.current = null
  }

  /** Does what the notice offers, once. */
  async act(): Promise<void> {
    const action = this.current?.action
    if (!action) return
    this.dismiss()
    await action.run()
  }
}

// Pictures come where a person looks. What is passed by quickly is not asked for, and what is left behind is broken off.

const FAST_PX_PER_MS = 4
const CALM_MS = 100

/** How fast the window moves, and what waits until it is calm. */
export class Motion {
  #last = { y: 0, ms: -Infinity }
  #calming: ReturnType<typeof setTimeout> | undefined
  #waiting = new Set<() => void>()
  #isFast = false

  /** Notes where the window is now. */
  moved(y: number, ms = performance.now()): void {
    const passed = ms - this.#last.ms
    if (passed > 0) this.#isFast = Math.abs(y - this.#last.y) / Math.min(passed, CALM_MS) > FAST_PX_PER_MS
    this.#last = { y, ms }
    clearTimeout(this.#calming)
    if (this.#isFast) this.#calming = setTimeout(() => this.#calm(), CALM_MS)
    else this.#calm()
  }

  /** Does something now, or when the window has become calm. Returns what calls it off. */
  whenCalm(work: () => void): () => void {
    if (!this.#isFast) work()
    else this.#waiting.add(work)
    return () => this.#waiting.delete(work)
  }

  #calm(): void {
    this.#isFast = false
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const work of waiting) work()
  }
}

/** What loads each picture that failed once more, */
const failed = new Set<() => void>()
/** and of these, each that failed for the first time. */
const unsure = new Set<() => void>()

const listeners = new Set<() => void>()

/** Calls back for every picture that could not be had. Browsers do not tell why. */
export function onFailedPicture(listener: () => void): void {
  listeners.add(listener)
}

/** Asks again for the pictures that could not be had, as the server is back. */
export function retryPictures(): void {
  for (const load of failed) load()
}

/** Asks again for those that failed for the first time: the server is there, but was busy, or cut off for a moment. */
export function retryPicturesOnce(): void {
  for (const load of unsure) load()
  unsure.clear()
}

/** An attachment that lets a picture appear when it is there; `data-state` tells the style sheet: none, shown, failed. */
export const picture = (address: string, motion: Motion) => (image: HTMLImageElement) => {
  let hasFailed = false
  const forget = (): void => {
    failed.delete(load)
    unsure.delete(load)
  }
  const note = (state: 'shown' | 'failed'): void => {
    image.dataset.state = state
    if (state === 'shown') return forget()
    failed.add(load)
    if (!hasFailed) unsure.add(load)
    hasFailed = true
  }
  const load = (): void => {
    image.src = address
    if (image.complete && image.naturalWidth > 0) note('shown')
  }
  image.onload = () => note('shown')
  image.onerror = () => {
    note('failed')
    for (const listener of listeners) listener()
  }
  const callOff = motion.whenCalm(load)
  return () => {
    callOff()
    forget()
    image.onload = image.onerror = null
    if (!image.complete) image.removeAttribute('src') // the browser goes on loading otherwise
  }
}

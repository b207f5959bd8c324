// A finger that rests on an element, and then may go on over others while the page stays where it is.

const LONG_MS = 450
const STILL_PX = 12
/** A click that comes of a finger comes sooner than this after the finger was lifted. */
const CLICK_MS = 400

interface Point {
  x: number
  y: number
}

/** What the finger means. */
export interface Hold {
  /** It has rested for long. Tells whether that means anything there. */
  begin: (target: Element) => boolean
  /** It has moved since, and is at this point of the window now: called once per frame, `ms` after the last one. */
  go: (point: Point, ms: number) => void
}

class Finger {
  readonly #hold: Hold
  #timer: ReturnType<typeof setTimeout> | undefined
  #forgetting: ReturnType<typeof setTimeout> | undefined
  #frame = 0
  #start: Point = { x: 0, y: 0 }
  #now: Point = this.#start
  /** Whether it has rested, so that neither scrolling, nor a menu, nor a click may come of it. */
  isTaken = false

  constructor(hold: Hold) {
    this.#hold = hold
  }

  down = (event: PointerEvent): void => {
    if (!event.isPrimary) return clearTimeout(this.#timer) // two fingers zoom
    this.#forget()
    if (event.pointerType !== 'touch') return
    this.#start = { x: event.clientX, y: event.clientY }
    this.#timer = setTimeout(() => (this.isTaken = this.#hold.begin(event.target as Element)), LONG_MS)
  }

  move = (event: PointerEvent): void => {
    if (!event.isPrimary) return
    this.#now = { x: event.clientX, y: event.clientY }
    if (Math.hypot(this.#now.x - this.#start.x, this.#now.y - this.#start.y) <= STILL_PX) return
    clearTimeout(this.#timer)
    if (this.isTaken && this.#frame === 0) this.#goOn(performance.now())
  }

  up = (event: PointerEvent): void => {
    if (!event.isPrimary) return
    this.letGo()
    if (this.isTaken) this.#forgetting = setTimeout(() => this.#forget(), CLICK_MS)
  }

  letGo(): void {
    clearTimeout(this.#timer)
    cancelAnimationFrame(this.#frame)
    this.#frame = 0
  }

  /** What comes next comes of something else: of a screen reader, of a key for menus. */
  #forget(): void {
    clearTimeout(this.#forgetting)
    this.isTaken = false
  }

  #goOn(last: number): void {
    this.#frame = requestAnimationFrame((now) => {
      this.#goOn(now)
      this.#hold.go(this.#now, now - last)
    })
  }
}

/** An attachment for fingers that rest on what is inside. */
export const held = (hold: Hold) => (element: HTMLElement) => {
  const finger = new Finger(hold)
  const unlessTaken = (event: Event): void => {
    if (finger.isTaken && event.cancelable) event.preventDefault()
  }
  const noClick = (event: MouseEvent): void => {
    if (!finger.isTaken || event.detail === 0) return // Enter clicks as well, and means what it says
    finger.isTaken = false
    event.preventDefault()
    event.stopPropagation()
  }
  const listening = new AbortController()
  const { signal } = listening
  element.addEventListener('pointerdown', finger.down, { signal })
  element.addEventListener('pointermove', finger.move, { signal })
  addEventListener('pointerup', finger.up, { signal }) // the photo that it began at may have left the page
  addEventListener('pointercancel', finger.up, { signal })
  element.addEventListener('contextmenu', unlessTaken, { signal })
  element.addEventListener('touchmove', unlessTaken, { signal, passive: false })
  element.addEventListener('click', noClick, { signal, capture: true })
  return () => {
    listening.abort()
    finger.letGo()
  }
}

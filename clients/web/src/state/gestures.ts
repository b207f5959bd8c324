// What fingers and the mouse mean on the stage. Knows no elements: it is told of pointers and tells what to do.

import type { Point } from './zoom.svelte.ts'

export interface Pointer extends Point {
  id: number
  /** Milliseconds of any clock. */
  time: number
}

/** A swipe leads to a neighbour, a drop closes; both can only begin while the whole photo is seen. */
export type Drag = 'swipe' | 'drop'

export interface Meaning {
  isZoomed: () => boolean
  pan: (byX: number, byY: number) => void
  /** Two fingers: their middle, by how much they went apart, and by how much the middle moved. */
  pinch: (middle: Point, factor: number, by: Point) => void
  /** A drag under way: how far it has come, along its own axis. */
  drag: (kind: Drag, offset: number) => void
  /** The end of a drag, with its speed in pixels per millisecond; NaN when it was broken off. */
  release: (kind: Drag, offset: number, speed: number) => void
  tap: (point: Point) => void
  doubleTap: (point: Point) => void
}

type Kind = 'waiting' | 'pan' | 'pinch' | 'ignored' | Drag

const SLOP = 8
const TAP_MS = 350
const DOUBLE_TAP_REACH = 40
/** The speed at the end is that of the last so many milliseconds. */
const SPEED_MS = 100

export class Gestures {
  readonly #meaning: Meaning
  readonly #pointers = new Map<number, Pointer>()
  #kind: Kind = 'waiting'
  #start: Pointer | null = null
  #trail: Pointer[] = []
  #lastTap: Pointer | null = null

  constructor(meaning: Meaning) {
    this.#meaning = meaning
  }

  down(pointer: Pointer): void {
    this.#pointers.set(pointer.id, pointer)
    if (this.#pointers.size === 1) {
      this.#kind = 'waiting'
      this.#start = pointer
      this.#trail = [pointer]
    } else if (this.#pointers.size === 2) {
      this.#breakOff()
      this.#kind = 'pinch'
    }
  }

  move(pointer: Pointer): void {
    const before = this.#pointers.get(pointer.id)
    if (!before) return
    if (this.#kind === 'pinch') return this.#pinch(pointer)
    this.#pointers.set(pointer.id, pointer)
    this.#trail = [...this.#trail.filter(({ time }) => pointer.time - time < SPEED_MS), pointer]
    if (this.#kind === 'waiting') this.#decide(pointer)
    if (this.#kind === 'pan') this.#meaning.pan(pointer.x - before.x, pointer.y - before.y)
    else if (this.#isDrag(this.#kind)) this.#meaning.drag(this.#kind, this.#offset(this.#kind, pointer))
  }

  up(pointer: Pointer): void {
    if (!this.#pointers.delete(pointer.id)) return
    if (this.#pointers.size > 0) {
      this.#kind = this.#kind === 'pinch' ? 'pan' : 'ignored'
      return
    }
    if (this.#isDrag(this.#kind)) this.#meaning.release(this.#kind, this.#offset(this.#kind, pointer), this.#speed(this.#kind, pointer))
    else if (this.#kind === 'waiting') this.#tap(pointer)
  }

  /** The browser took the pointer for something else. */
  cancel(pointer: Pointer): void {
    if (!this.#pointers.delete(pointer.id)) return
    this.#breakOff()
    this.#kind = 'ignored'
  }

  #decide(pointer: Pointer): void {
    const start = this.#start ?? pointer
    const x = Math.abs(pointer.x - start.x)
    const y = pointer.y - start.y
    if (Math.hypot(x, y) < SLOP) return
    if (this.#meaning.isZoomed()) this.#kind = 'pan'
    else if (x >= Math.abs(y)) this.#kind = 'swipe'
    else this.#kind = y > 0 ? 'drop' : 'ignored'
  }

  #pinch(pointer: Pointer): void {
    const [wasMiddle, wasApart] = this.#spread()
    this.#pointers.set(pointer.id, pointer)
    const [middle, apart] = this.#spread()
    this.#meaning.pinch(middle, apart / Math.max(1, wasApart), { x: middle.x - wasMiddle.x, y: middle.y - wasMiddle.y })
  }

  /** The middle of the first two fingers, and how far they are apart. */
  #spread(): [Point, number] {
    const [one, two] = [...this.#pointers.values()] as [Pointer, Pointer]
    return [{ x: (one.x + two.x) / 2, y: (one.y + two.y) / 2 }, Math.hypot(one.x - two.x, one.y - two.y)]
  }

  #tap(pointer: Pointer): void {
    const start = this.#start
    if (!start || pointer.time - start.time > TAP_MS) return
    const last = this.#lastTap
    const isNear = last !== null && Math.hypot(pointer.x - last.x, pointer.y - last.y) < DOUBLE_TAP_REACH
    if (last && isNear && pointer.time - last.time < TAP_MS) {
      this.#lastTap = null
      this.#meaning.doubleTap(pointer)
    } else {
      this.#lastTap = pointer
      this.#meaning.tap(pointer)
    }
  }

  #breakOff(): void {
    if (this.#isDrag(this.#kind)) this.#meaning.release(this.#kind, 0, NaN)
  }

  #isDrag(kind: Kind): kind is Drag {
    return kind === 'swipe' || kind === 'drop'
  }

  #offset(kind: Drag, pointer: Pointer): number {
    const start = this.#start ?? pointer
    return kind === 'swipe' ? pointer.x - start.x : Math.max(0, pointer.y - start.y)
  }

  #speed(kind: Drag, pointer: Pointer): number {
    const first = this.#trail.find(({ time }) => pointer.time - time < SPEED_MS) ?? pointer
    const length = kind === 'swipe' ? pointer.x - first.x : pointer.y - first.y
    return length / Math.max(1, pointer.time - first.time)
  }
}

const FAST = 0.5

/** Whether a drag went far enough, or was fast enough in its own direction, to mean what it began; `length` is that of the stage. */
export function isMeant(offset: number, speed: number, length: number): boolean {
  if (Number.isNaN(speed)) return false
  const isBack = Math.sign(speed) !== Math.sign(offset) && Math.abs(speed) > FAST
  return !isBack && (Math.abs(offset) > length / 4 || (Math.abs(speed) > FAST && Math.abs(offset) > SLOP))
}

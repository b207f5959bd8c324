// How one photo lies on the stage: as large as fits, or magnified and moved. Lengths are CSS pixels.

export interface Size {
  width: number
  height: number
}

/** A place on the stage, counted from its middle. */
export interface Point {
  x: number
  y: number
}

const STEP = 1.5
/** Every photo can be magnified so far, and beyond that until one of its pixels covers two of the screen. */
const LEAST_MOST = 4
const PIXEL_ENLARGED = 2
/** What a double click magnifies a photo by that has no more pixels than are shown. */
const SMALL_PHOTO_SCALE = 2.5

/** The size in which a photo fits the stage; it is never enlarged. */
export function fitted(photo: Size, stage: Size): Size {
  const ratio = Math.min(1, stage.width / photo.width, stage.height / photo.height)
  return { width: photo.width * ratio, height: photo.height * ratio }
}

export class Zoom {
  photo: Size = $state.raw({ width: 1, height: 1 })
  stage: Size = $state.raw({ width: 1, height: 1 })
  /** 1 is the whole photo. */
  scale = $state(1)
  x = $state(0)
  y = $state(0)
  /** Whether a change is drawn step by step, as one by a key or a button is; fingers and wheels are followed at once. */
  isGradual = $state(false)

  readonly fit: Size = $derived(fitted(this.photo, this.stage))
  readonly isZoomed: boolean = $derived(this.scale > 1)

  /** The scale at which a pixel of the photo is as large as `pixel` CSS pixels. */
  scaleOf(pixel: number): number {
    return (pixel * this.photo.width) / this.fit.width
  }

  get most(): number {
    return Math.max(LEAST_MOST, this.scaleOf(PIXEL_ENLARGED))
  }

  /** Magnifies to `scale` so that what lies under `point` stays there. */
  to(scale: number, point: Point = { x: 0, y: 0 }): void {
    const wanted = Math.min(this.most, Math.max(1, scale))
    const factor = wanted / this.scale
    this.scale = wanted
    this.move(point.x - (point.x - this.x) * factor - this.x, point.y - (point.y - this.y) * factor - this.y)
  }

  in(): void {
    this.isGradual = true
    this.to(this.scale * STEP)
  }

  out(): void {
    this.isGradual = true
    this.to(this.scale / STEP)
  }

  /** The whole photo again. */
  reset(): void {
    this.isGradual = true
    this.scale = 1
    this.x = this.y = 0
  }

  /** Shows another photo, whole. */
  show(photo: Size): void {
    this.photo = photo
    this.reset()
    this.isGradual = false
  }

  /** From the whole photo to its true pixels, and back. */
  toggle(point: Point): void {
    if (this.isZoomed) return this.reset()
    this.isGradual = true
    const full = this.scaleOf(1)
    this.to(full > 1.2 ? full : SMALL_PHOTO_SCALE, point)
  }

  /** Moves the photo; its edges never come further in than the edges of the stage, and what fits stays in the middle. */
  move(byX: number, byY: number): void {
    this.x = within(this.x + byX, this.fit.width * this.scale - this.stage.width)
    this.y = within(this.y + byY, this.fit.height * this.scale - this.stage.height)
  }
}

function within(value: number, overhang: number): number {
  const most = Math.max(0, overhang / 2)
  return Math.min(most, Math.max(-most, value))
}

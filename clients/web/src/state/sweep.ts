// A finger that rested on a photo goes over others: all as far as it comes are chosen, and at an edge of the window the
// page goes along. Knows no elements; lengths are CSS pixels.

import type { Photo } from '../api/types.ts'
import type { Spot } from './sections.ts'

export interface SweepMeans {
  photoAt: (spot: Spot) => Promise<Photo | null>
  extendTo: (photo: Photo) => Promise<void>
}

/** The page goes along where the finger is as near as this to an edge, */
const EDGE_PX = 96
/** with this speed at the edge itself, */
const MOST_PX_PER_MS = 1.2
/** and no farther after a frame that took long. */
const LONGEST_FRAME_MS = 50

export class Sweep {
  readonly #means: SweepMeans
  #wanted: Spot | null = null
  #isBusy = false
  /** The part of a pixel that the page still has to go. */
  #rest = 0

  constructor(means: SweepMeans) {
    this.#means = means
  }

  /** Another finger has rested. */
  begin(): void {
    this.#wanted = null
    this.#rest = 0
  }

  /** Chooses as far as a place. Of places that come while photos are read, only the last one counts. */
  async reach(spot: Spot): Promise<void> {
    if (isSame(spot, this.#wanted)) return
    this.#wanted = spot
    if (this.#isBusy) return
    this.#isBusy = true
    let reached: Spot | null = null
    while (this.#wanted && !isSame(this.#wanted, reached)) {
      reached = this.#wanted
      const photo = await this.#means.photoAt(reached)
      if (photo) await this.#means.extendTo(photo)
    }
    this.#isBusy = false
  }

  /** The way that the page goes along in so many milliseconds, in whole pixels, as it cannot go less. */
  drift(y: number, window: { top: number; bottom: number }, ms: number): number {
    const speed = speedAt(y, window)
    const way = speed === 0 ? 0 : this.#rest + speed * Math.min(ms, LONGEST_FRAME_MS)
    this.#rest = way - Math.trunc(way)
    return Math.trunc(way)
  }
}

function speedAt(y: number, { top, bottom }: { top: number; bottom: number }): number {
  const reach = Math.min(EDGE_PX, (bottom - top) / 4)
  const above = top + reach - y
  const below = y - (bottom - reach)
  const depth = above > 0 ? -above : Math.max(0, below)
  return Math.max(-1, Math.min(1, depth / reach)) * MOST_PX_PER_MS
}

const isSame = (one: Spot, other: Spot | null): boolean => one.section === other?.section && one.index === other.index

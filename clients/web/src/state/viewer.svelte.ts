import type { Client } from '../api/client.ts'
import { asProblem, isAbort, type Problem } from '../api/problem.ts'
import type { Photo, PhotoDetails } from '../api/types.ts'

/** The list that a photo is looked at in. */
export interface Surroundings {
  find: (id: string) => Photo | null
  /** The photo that lies beside another one, if it is loaded. */
  neighbour: (id: string, step: 1 | -1) => Photo | null
  /** As `neighbour`, loading it when needed. */
  reach: (id: string, step: 1 | -1) => Promise<Photo | null>
}

export interface ViewerMeans {
  api: Pick<Client, 'readPhoto'>
  photos: Surroundings
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}

/** Camera and place are read in the background; so often, and after such pauses, is looked whether they are there. */
const PAUSES_MS = [2_000, 4_000, 8_000, 16_000]

/** The photo that is looked at, and its neighbours. */
export class Viewer {
  id: string | null = $state(null)
  problem: Problem | null = $state.raw(null)
  #fetched: PhotoDetails | null = $state.raw(null)
  #reading: AbortController | null = null
  readonly #means: ViewerMeans

  constructor(means: ViewerMeans) {
    this.#means = means
  }

  /** All that the server knows of the photo; null until it has told. */
  get details(): PhotoDetails | null {
    return this.#fetched?.id === this.id ? this.#fetched : null
  }

  get photo(): Photo | null {
    return this.id === null ? null : (this.#means.photos.find(this.id) ?? this.details)
  }

  get previous(): Photo | null {
    return this.#beside(-1)
  }

  get next(): Photo | null {
    return this.#beside(1)
  }

  async open(id: string): Promise<void> {
    this.#reading?.abort()
    const reading = new AbortController()
    this.#reading = reading
    this.id = id
    this.problem = null
    try {
      await this.#read(id, reading.signal)
    } catch (error) {
      if (!reading.signal.aborted && !isAbort(error)) this.problem = asProblem(error)
    }
  }

  /** Asks again for what could not be had. */
  async refresh(): Promise<void> {
    if (this.id !== null && this.problem) await this.open(this.id)
  }

  /** Loads the neighbours that are not there yet. */
  async look(): Promise<void> {
    const { id } = this
    if (id === null) return
    if (!this.next) await this.#means.photos.reach(id, 1)
    if (this.id === id && !this.previous) await this.#means.photos.reach(id, -1)
  }

  close(): void {
    this.#reading?.abort()
    this.id = this.#fetched = this.problem = null
  }

  /** Takes a change that was made to the photo. */
  adopt(photo: PhotoDetails): void {
    if (photo.id === this.id) this.#fetched = photo
  }

  async #read(id: string, signal: AbortSignal): Promise<void> {
    for (const pause of [...PAUSES_MS, null]) {
      const found = await this.#means.api.readPhoto(id, signal)
      if (signal.aborted) return
      this.#fetched = found
      if (found.derivation !== 'pending' || pause === null) return
      await this.#means.sleep(pause, signal)
    }
  }

  #beside(step: 1 | -1): Photo | null {
    return this.id === null ? null : this.#means.photos.neighbour(this.id, step)
  }
}

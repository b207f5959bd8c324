import type { Client, Listing } from '../api/client.ts'
import { asProblem, type Problem } from '../api/problem.ts'
import type { Photo } from '../api/types.ts'

const PAGE = 100

/** Photos of a listing, page by page, newest first. What is shown stays until the next listing has arrived. */
export class PhotoList {
  photos: readonly Photo[] = $state.raw([])
  problem: Problem | null = $state.raw(null)
  /** Whether the first page of the present listing has arrived. */
  isReady = $state(false)
  isLoading = $state(false)
  #cursor: string | null = $state(null)
  #listing: Listing = {}
  #loading: AbortController | null = null
  readonly #api: Pick<Client, 'findPhotos'>

  constructor(api: Pick<Client, 'findPhotos'>) {
    this.#api = api
  }

  get hasMore(): boolean {
    return this.#cursor !== null
  }

  /** Shows another listing, or the same one afresh. */
  async show(listing: Listing): Promise<void> {
    this.#listing = listing
    await this.#load(null)
  }

  /** Shows the same listing again, from its newest photo; nothing while none is shown. */
  async refresh(): Promise<void> {
    if (this.isReady || this.problem) await this.#load(null)
  }

  async loadMore(): Promise<void> {
    if (this.#cursor !== null && !this.isLoading) await this.#load(this.#cursor)
  }

  indexOf(id: string): number {
    return this.photos.findIndex((photo) => photo.id === id)
  }

  find(id: string): Photo | null {
    return this.photos.find((photo) => photo.id === id) ?? null
  }

  /** The photo that lies `step` places after this one, or before it; null when there is none, or it is not loaded. */
  neighbour(id: string, step: 1 | -1): Photo | null {
    const index = this.indexOf(id)
    return index < 0 ? null : (this.photos[index + step] ?? null)
  }

  /** As `neighbour`, loading it when needed. */
  async reach(id: string, step: 1 | -1): Promise<Photo | null> {
    if (step > 0 && this.indexOf(id) === this.photos.length - 1) await this.loadMore()
    return this.neighbour(id, step)
  }

  replace(photo: Photo): void {
    this.photos = this.photos.map((old) => (old.id === photo.id ? { ...old, ...photo } : old))
  }

  remove(id: string): void {
    this.photos = this.photos.filter((photo) => photo.id !== id)
  }

  insert(photo: Photo, index: number): void {
    this.photos = this.photos.toSpliced(index, 0, photo)
  }

  clear(): void {
    this.#loading?.abort()
    this.#cursor = this.problem = null
    this.photos = []
    this.isReady = false
  }

  async #load(cursor: string | null): Promise<void> {
    this.#loading?.abort()
    const loading = new AbortController()
    this.#loading = loading
    this.isLoading = true
    try {
      const page = await this.#api.findPhotos({ limit: PAGE, ...this.#listing, cursor }, loading.signal)
      if (loading.signal.aborted) return
      this.photos = cursor === null ? page.photos : [...this.photos, ...page.photos]
      this.#cursor = page.next
      this.problem = null
      this.isReady = true
    } catch (error) {
      if (!loading.signal.aborted) this.problem = asProblem(error)
    } finally {
      if (this.#loading === loading) this.isLoading = false
    }
  }
}

import type { Photo } from '../api/types.ts'

/** The chosen photos, in the order of their choice. */
export class Selection {
  #chosen: ReadonlyMap<string, Photo> = $state.raw(new Map())
  /** The photo that a range begins at: the last one that was chosen alone. */
  anchor: Photo | null = $state.raw(null)
  /** What the last range chose; the next one from the same anchor takes its place. */
  #range: readonly string[] = []

  get count(): number {
    return this.#chosen.size
  }

  get photos(): readonly Photo[] {
    return [...this.#chosen.values()]
  }

  has(id: string): boolean {
    return this.#chosen.has(id)
  }

  /** Whether all of these are chosen; not if there are none. */
  hasAll(photos: readonly Photo[]): boolean {
    return photos.length > 0 && photos.every(({ id }) => this.#chosen.has(id))
  }

  toggle(photo: Photo): void {
    this.anchor = photo
    this.#range = []
    if (this.has(photo.id)) this.remove(photo.id)
    else this.add([photo])
  }

  /** Lets a range begin at a photo, which is chosen if it is not. */
  begin(photo: Photo): void {
    this.add([photo])
    this.anchor = photo
    this.#range = []
  }

  add(photos: readonly Photo[]): void {
    const chosen = new Map(this.#chosen)
    for (const photo of photos) chosen.set(photo.id, photo)
    this.#chosen = chosen
  }

  /** Takes the photos between the anchor and another one in place of those of the last such range, as far as `most` fit. */
  extend(photos: readonly Photo[], most: number): void {
    const chosen = new Map(this.#chosen)
    for (const id of this.#range) chosen.delete(id)
    const fresh = photos.filter(({ id }) => !chosen.has(id))
    const room = Math.max(0, most - chosen.size)
    const isUpwards = photos.at(-1)?.id === this.anchor?.id
    const fitting = isUpwards ? fresh.slice(Math.max(0, fresh.length - room)) : fresh.slice(0, room)
    this.#range = fitting.map(({ id }) => id)
    for (const photo of fitting) chosen.set(photo.id, photo)
    this.#chosen = chosen
  }

  remove(...ids: readonly string[]): void {
    const chosen = new Map(this.#chosen)
    for (const id of ids) chosen.delete(id)
    this.#chosen = chosen
    if (chosen.size === 0) this.anchor = null
  }

  clear(): void {
    this.#chosen = new Map()
    this.anchor = null
    this.#range = []
  }
}

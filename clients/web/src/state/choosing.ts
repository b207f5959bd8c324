// How photos get into the selection: one, a range, a day, all. At most as many as one archive takes.

import { MOST_DOWNLOADED } from '../api/client.ts'
import { asProblem } from '../api/problem.ts'
import type { Photo } from '../api/types.ts'
import type { Language } from '../words/language.svelte.ts'
import type { Gallery } from './gallery.svelte.ts'
import type { Notices } from './notices.svelte.ts'
import type { Selection } from './selection.svelte.ts'

export interface ChoosingMeans {
  photos: Gallery
  selection: Selection
  notices: Notices
  language: Language
  most?: number
}

export class Choosing {
  readonly #means: ChoosingMeans
  readonly #most: number

  constructor(means: ChoosingMeans) {
    this.#means = means
    this.#most = means.most ?? MOST_DOWNLOADED
  }

  /** Chooses a photo, or no longer. */
  toggle(photo: Photo): void {
    const { selection } = this.#means
    if (selection.has(photo.id) || this.#hasRoom()) selection.toggle(photo)
  }

  /** Lets a range begin at a photo, which is chosen if it is not. Tells whether there was room for it. */
  begin(photo: Photo): boolean {
    const { selection } = this.#means
    const isChosen = selection.has(photo.id) || this.#hasRoom()
    if (isChosen) selection.begin(photo)
    return isChosen
  }

  /** Chooses all photos from the one that was chosen last to this one. */
  async extendTo(photo: Photo): Promise<void> {
    const { photos, selection } = this.#means
    const { anchor } = selection
    if (!anchor) return this.toggle(photo)
    await this.#tried(async () => {
      const range = await photos.between(anchor, photo, this.#most)
      if (selection.anchor !== anchor) return // it was cleared, or another range has begun
      selection.extend(range, this.#most)
      if (!selection.hasAll([...range, photo]) || range.length === this.#most) this.#tellMost()
    })
  }

  /** Chooses all photos of a day, or none of them if all are chosen. */
  async toggleDay(day: string): Promise<void> {
    const { photos, selection } = this.#means
    await this.#tried(async () => {
      const own = await photos.allOf(day, this.#most)
      if (selection.hasAll(own)) selection.remove(...own.map(({ id }) => id))
      else this.#add(own)
    })
  }

  /** Chooses all photos of the list. */
  async all(): Promise<void> {
    await this.#tried(async () => this.#add(await this.#means.photos.allOf(null, this.#most)))
  }

  #add(photos: readonly Photo[]): void {
    const { selection } = this.#means
    const added = photos.filter(({ id }) => !selection.has(id)).slice(0, this.#most - selection.count)
    if (added.length > 0) selection.add(added)
    if (selection.count >= this.#most) this.#tellMost()
  }

  #hasRoom(): boolean {
    const hasRoom = this.#means.selection.count < this.#most
    if (!hasRoom) this.#tellMost()
    return hasRoom
  }

  #tellMost(): void {
    const { notices, language } = this.#means
    notices.show({ text: language.words.selection.tooMany(this.#most) })
  }

  async #tried(work: () => Promise<void>): Promise<void> {
    const { notices, language } = this.#means
    try {
      await work()
    } catch (error) {
      notices.show({ text: language.explain(asProblem(error).body), isTrouble: true })
    }
  }
}

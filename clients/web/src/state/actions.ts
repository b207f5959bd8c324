// What can be done to a photo from any view. Each ends in a notice, and what can be undone offers it.

import type { Client } from '../api/client.ts'
import { asProblem } from '../api/problem.ts'
import type { Photo, PhotoDetails } from '../api/types.ts'
import type { Language } from '../words/language.svelte.ts'
import type { Datasets } from './datasets.svelte.ts'
import type { Notices } from './notices.svelte.ts'
import type { PhotoList } from './photos.svelte.ts'

export interface ActionMeans {
  api: Pick<Client, 'deletePhoto' | 'restorePhoto' | 'renamePhoto'>
  photos: PhotoList
  trash: PhotoList
  datasets: Datasets
  notices: Notices
  language: Language
  copyText: (text: string) => Promise<boolean>
}

export class PhotoActions {
  readonly #means: ActionMeans

  constructor(means: ActionMeans) {
    this.#means = means
  }

  /** Moves a photo to the trash and offers to undo it. Tells whether it worked. */
  trash(photo: Photo): Promise<boolean> {
    return this.#try(async ({ api, photos, notices, language }) => {
      await api.deletePhoto(photo.id)
      const index = photos.indexOf(photo.id)
      photos.remove(photo.id)
      const { photo: words, frame } = language.words
      notices.show({
        text: words.trashed(photo.name),
        action: { label: frame.undo, run: async () => void (await this.restore(photo, index)) },
      })
    })
  }

  /** Takes a photo out of the trash, to the place in the grid that it had. Tells whether it worked. */
  restore(photo: Photo, index = -1): Promise<boolean> {
    return this.#try(async ({ api, photos, trash, notices, language }) => {
      const restored = await api.restorePhoto(photo.id)
      trash.remove(photo.id)
      if (index >= 0) photos.insert(restored, Math.min(index, photos.photos.length))
      notices.show({ text: language.words.photo.restored(photo.name) })
    })
  }

  /** Gives a photo another name and returns it; null when that did not work. */
  async rename(photo: Photo, name: string): Promise<PhotoDetails | null> {
    let renamed: PhotoDetails | null = null
    await this.#try(async ({ api, photos }) => {
      renamed = await api.renamePhoto(photo.id, name)
      photos.replace(renamed)
    })
    return renamed
  }

  copyLink(photo: Photo): Promise<void> {
    return this.copy(photo.link, this.#means.language.words.photo.copied)
  }

  /** Copies a text and tells so with `done`, or how a person can do it. */
  async copy(text: string, done: string): Promise<void> {
    const { copyText, notices, language } = this.#means
    const isCopied = await copyText(text)
    notices.show({ text: isCopied ? done : language.words.photo.copyByHand, isTrouble: !isCopied })
  }

  async #try(action: (means: ActionMeans) => Promise<void>): Promise<boolean> {
    const { notices, language, datasets } = this.#means
    try {
      await action(this.#means)
    } catch (error) {
      notices.show({ text: language.explain(asProblem(error).body), isTrouble: true })
      return false
    }
    await datasets.refresh().catch(() => {}) // totals that are a moment old harm nobody
    return true
  }
}

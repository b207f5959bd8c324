// What can be done to a photo from any view. Each ends in a notice, and what can be undone offers it.

import type { Client } from '../api/client.ts'
import { asProblem } from '../api/problem.ts'
import type { Photo, PhotoDetails } from '../api/types.ts'
import type { Language } from '../words/language.svelte.ts'
import type { Datasets } from './datasets.svelte.ts'
import type { Gallery } from './gallery.svelte.ts'
import type { Notices } from './notices.svelte.ts'
import { portions } from './portions.ts'
import type { Selection } from './selection.svelte.ts'

export interface ActionMeans {
  api: Pick<
    Client,
    'deletePhoto' | 'restorePhoto' | 'renamePhoto' | 'trashPhotos' | 'restorePhotos' | 'checkArchive' | 'archiveAddress' | 'downloadAddress'
  >
  photos: Gallery
  selection: Selection
  trash: Gallery
  datasets: Datasets
  notices: Notices
  language: Language
  copyText: (text: string) => Promise<boolean>
  saveFile: (address: string, name: string) => void
  saveArchive: (address: string, ids: readonly string[]) => void
}

export class PhotoActions {
  readonly #means: ActionMeans

  constructor(means: ActionMeans) {
    this.#means = means
  }

  /** Moves a photo to the trash and offers to undo it. Tells whether it worked. */
  trash(photo: Photo): Promise<boolean> {
    return this.#try(async ({ api, photos, selection, notices, language }) => {
      await api.deletePhoto(photo.id)
      photos.remove(photo.id)
      selection.remove(photo.id)
      const { photo: words, frame } = language.words
      notices.show({
        text: words.trashed(photo.name),
        action: { label: frame.undo, run: async () => void (await this.restore(photo)) },
      })
    })
  }

  /** Takes a photo out of the trash, to its place in the grid. Tells whether it worked. */
  restore(photo: Photo): Promise<boolean> {
    return this.#try(async ({ api, photos, trash, notices, language }) => {
      const restored = await api.restorePhoto(photo.id)
      trash.remove(photo.id)
      photos.insert(restored)
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

  /** Moves photos to the trash and offers to undo it. Tells whether it worked. */
  trashAll(chosen: readonly Photo[]): Promise<boolean> {
    return this.#try(async ({ api, photos, selection, notices, language }) => {
      const { selection: words, frame } = language.words
      const gone = new Set<string>()
      for (const ids of portions(chosen.map(({ id }) => id))) {
        const { done } = await api.trashPhotos(ids)
        photos.remove(...done)
        for (const id of done) gone.add(id)
      }
      selection.remove(...chosen.map(({ id }) => id))
      const back = chosen.filter(({ id }) => gone.has(id))
      notices.show({
        text: words.trashed(back.length),
        action: { label: frame.undo, run: async () => void (await this.restoreAll(back)) },
      })
    })
  }

  /** Takes photos out of the trash. Tells whether it worked. */
  restoreAll(chosen: readonly Photo[]): Promise<boolean> {
    return this.#try(async ({ api, photos, trash, notices, language }) => {
      let count = 0
      for (const ids of portions(chosen.map(({ id }) => id))) {
        const done = new Set((await api.restorePhotos(ids)).done)
        trash.remove(...done)
        photos.insert(...chosen.filter(({ id }) => done.has(id)))
        count += done.size
      }
      notices.show({ text: language.words.selection.restored(count) })
    })
  }

  copyLinks(chosen: readonly Photo[]): Promise<boolean> {
    return this.#try(async ({ copyText, notices, language }) => {
      const { uploads, photo } = language.words
      const isCopied = await copyText(chosen.map(({ link }) => link).join('\n'))
      notices.show({ text: isCopied ? uploads.linksCopied(chosen.length) : photo.copyByHand, isTrouble: !isCopied })
    })
  }

  /** Saves one photo as it is, several as one ZIP file. */
  download(chosen: readonly Photo[]): Promise<boolean> {
    return this.#try(async ({ api, saveFile, saveArchive }) => {
      const [only, ...others] = chosen
      if (only && others.length === 0) return saveFile(api.downloadAddress(only.id), only.name)
      const ids = chosen.map(({ id }) => id)
      await api.checkArchive(ids)
      saveArchive(api.archiveAddress(), ids)
    })
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

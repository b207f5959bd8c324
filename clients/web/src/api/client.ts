// Every call that the page makes, with its types. All of them throw Problem; see docs/http-api.md for the codes.

import { isPhotoId } from './ids.ts'
import { Problem } from './problem.ts'
import { Transport, type Means } from './transport.ts'
import type { Dataset, DatasetPage, KnownPhoto, Marks, Moved, PhotoDetails, PhotoPage, SessionState, Stats, Timeline } from './types.ts'
import { sendFiles, type UploadOptions } from './upload.ts'

export type PreviewSize = 256 | 512 | 1024 | 2048

export interface Listing {
  dataset?: string | null
  /** A part of the name. */
  name?: string
  cursor?: string | null
  limit?: number
  trash?: boolean
  /** The list begins with what was uploaded before this: a day, for its first moment (UTC), or a time. */
  before?: string | null
  /** The list ends with what was uploaded from this on. */
  since?: string | null
}

/** How many ids one request may move, and one archive may name. */
export const MOST_MOVED = 1000
export const MOST_DOWNLOADED = 10_000

export class Client {
  readonly #transport: Transport

  constructor(means: Means) {
    this.#transport = new Transport(means)
  }

  /** Resolves when the server answers; asked once, and nobody is told when it does not. */
  probe(): Promise<void> {
    return this.#transport.probe('health/live')
  }

  readSession(): Promise<SessionState> {
    return this.#transport.call('api/v1/session')
  }

  logIn(key: string): Promise<void> {
    return this.#transport.call('api/v1/session', { method: 'POST', json: { key } })
  }

  logOut(): Promise<void> {
    return this.#transport.call('api/v1/session', { method: 'DELETE' })
  }

  /** One page, by slug. */
  listDatasets(cursor?: string | null): Promise<DatasetPage> {
    return this.#transport.call('api/v1/datasets', { query: cursor ? { cursor } : {} })
  }

  createDataset(name: string, slug?: string): Promise<Dataset> {
    return this.#transport.call('api/v1/datasets', { method: 'POST', json: { name, ...(slug ? { slug } : {}) } })
  }

  renameDataset(slug: string, name: string): Promise<Dataset> {
    return this.#transport.call(`api/v1/datasets/${encodeURIComponent(slug)}`, { method: 'PATCH', json: { name } })
  }

  readStats(signal?: AbortSignal): Promise<Stats> {
    return this.#transport.call('api/v1/stats', { signal })
  }

  /** One page, newest first. */
  listPhotos(listing: Listing, signal?: AbortSignal): Promise<PhotoPage> {
    return this.#transport.call('api/v1/photos', { query: queryOf(listing), signal })
  }

  /** How many photos a list has, whole and by day. */
  readTimeline(listing: Listing, signal?: AbortSignal): Promise<Timeline> {
    return this.#transport.call('api/v1/timeline', { query: queryOf(listing), signal })
  }

  /** Cursors that lie `every` photos apart in a list. */
  readMarks(listing: Listing, every: number, signal?: AbortSignal): Promise<Marks> {
    return this.#transport.call('api/v1/timeline/marks', { query: { ...queryOf(listing), every }, signal })
  }

  /** As listPhotos, but a `name` that is a whole id finds that one photo, in the dataset of the listing if it has one. */
  async findPhotos(listing: Listing, signal?: AbortSignal): Promise<PhotoPage> {
    const id = listing.name?.trim().toLowerCase() ?? ''
    if (listing.trash || !isPhotoId(id)) return this.listPhotos(listing, signal)
    try {
      const photo = await this.readPhoto(id, signal)
      const isWanted = !listing.dataset || photo.dataset === listing.dataset
      return { photos: isWanted ? [photo] : [], next: null }
    } catch (error) {
      if (error instanceof Problem && error.code === 'photo_not_found') return { photos: [], next: null }
      throw error
    }
  }

  readPhoto(id: string, signal?: AbortSignal): Promise<PhotoDetails> {
    return this.#transport.call(photoPath(id), { signal })
  }

  renamePhoto(id: string, name: string): Promise<PhotoDetails> {
    return this.#transport.call(photoPath(id), { method: 'PATCH', json: { name } })
  }

  /** Moves a photo to the trash. */
  deletePhoto(id: string): Promise<void> {
    return this.#transport.call(photoPath(id), { method: 'DELETE' })
  }

  restorePhoto(id: string): Promise<PhotoDetails> {
    return this.#transport.call(`${photoPath(id)}/restore`, { method: 'POST' })
  }

  /** Moves up to MOST_MOVED photos to the trash. */
  trashPhotos(ids: readonly string[]): Promise<Moved> {
    return this.#transport.call('api/v1/photos/trash', { method: 'POST', json: { ids } })
  }

  /** Takes up to MOST_MOVED photos out of the trash. */
  restorePhotos(ids: readonly string[]): Promise<Moved> {
    return this.#transport.call('api/v1/photos/restore', { method: 'POST', json: { ids } })
  }

  /** Which of these digests (at most 10,000) a dataset holds already. */
  knownPhotos(dataset: string, sha256: readonly string[], signal?: AbortSignal): Promise<{ known: KnownPhoto[] }> {
    return this.#transport.call('api/v1/photos/known', { method: 'POST', json: { dataset, sha256 }, signal })
  }

  /** Sends files in one request; see sendFiles. Whether a break means that the server is away is for the caller to find out. */
  async upload(files: readonly File[], options: UploadOptions): Promise<void> {
    try {
      await sendFiles(this.#transport.address('upload'), files, options)
      this.#transport.answered()
    } catch (error) {
      throw error instanceof Problem && error.code === 'offline' ? error : this.#transport.told(error)
    }
  }

  /** The address of a preview, on our own origin whatever address the links to copy begin with. */
  previewAddress(id: string, size: PreviewSize, format?: 'webp'): string {
    return this.#transport.address(`get/${encodeURIComponent(id)}`, { size, format })
  }

  /** Whether a preview can be had. Throws the Problem that it ends in, which an image does not tell. */
  checkPreview(id: string, size: PreviewSize, format?: 'webp'): Promise<void> {
    return this.#transport.check(`get/${encodeURIComponent(id)}`, { query: { size, format } })
  }

  /** The address of a preview of a photo in the trash; editors may look at it. */
  trashedPreviewAddress(id: string, size: PreviewSize, format?: 'webp'): string {
    return this.#transport.address(`${photoPath(id)}/trashed-preview`, { size, format })
  }

  originalAddress(id: string): string {
    return this.#transport.address(`get/${encodeURIComponent(id)}`)
  }

  downloadAddress(id: string): string {
    return `${this.originalAddress(id)}?download`
  }

  /** Where a form with the field `ids` is sent, to be answered with one ZIP file. */
  archiveAddress(): string {
    return this.#transport.address('api/v1/photos/archive')
  }

  /** Throws the Problem for which these photos cannot become one archive. */
  checkArchive(ids: readonly string[]): Promise<void> {
    return this.#transport.check('api/v1/photos/archive', { method: 'POST', json: { ids } })
  }

  docsAddress(): string {
    return this.#transport.address('api/docs')
  }
}

const queryOf = ({ trash, ...listing }: Listing) => ({ ...listing, trash: trash ? 'true' : null })

const photoPath = (id: string): string => `api/v1/photos/${encodeURIComponent(id)}`

// Addresses of the page and what they show. Pure: parse and write, nothing else.

import { isPhotoId, isSlug } from '../api/ids.ts'

/** A grid of photos, of one dataset or of all (null), narrowed by a search, and with a photo open over it or none. */
export interface PhotosRoute {
  view: 'photos'
  dataset: string | null
  search: string
  photo: string | null
}

/** The uploads, and the dataset that new ones go to; null is the default one. */
export interface UploadsRoute {
  view: 'uploads'
  dataset: string | null
}

/** The trash, and the photo of it that is looked at larger, or none. */
export interface TrashRoute {
  view: 'trash'
  photo: string | null
}

export type Route = PhotosRoute | UploadsRoute | TrashRoute | { view: 'missing' }

export const photosRoute = (part: Partial<Omit<PhotosRoute, 'view'>> = {}): PhotosRoute => ({
  view: 'photos',
  dataset: null,
  search: '',
  photo: null,
  ...part,
})

export const uploadsRoute = (dataset: string | null = null): UploadsRoute => ({ view: 'uploads', dataset })

export const trashRoute = (photo: string | null = null): TrashRoute => ({ view: 'trash', photo })

/** The dataset that a route is about; null for all, or none. */
export const datasetOf = (route: Route): string | null => ('dataset' in route ? route.dataset : null)

/** Whether two routes show the same list, whatever photo of it is open. */
export const isSameList = (one: Route, other: Route): boolean => one.view === other.view && listOf(one) === listOf(other)

const listOf = (route: Route): string => writeRoute('photo' in route ? { ...route, photo: null } : route)

/** The route of a path below the server's root, without its leading slash, and of a query. */
export function parseRoute(path: string, query: URLSearchParams): Route {
  const [head = '', tail, ...rest] = path.split('/').map(decoded)
  const search = query.get('q') ?? ''
  if (rest.length > 0) return { view: 'missing' }
  if (tail === undefined) return plainRoute(head, query)
  if (head === 'd' && isSlug(tail)) return photosRoute({ dataset: tail, search })
  const id = tail.toLowerCase()
  if (head === 'photo' && isPhotoId(id)) return photosRoute({ dataset: slugOf(query), search, photo: id })
  return { view: 'missing' }
}

/** The address of a route, relative to the server's root. */
export function writeRoute(route: Route): string {
  if (route.view === 'missing') return ''
  if (route.view === 'trash') return route.photo === null ? 'trash' : `trash?photo=${route.photo}`
  const query = new URLSearchParams()
  const isInPath = route.view === 'photos' && route.photo === null
  if (!isInPath && route.dataset !== null) query.set('dataset', route.dataset)
  if (route.view === 'photos' && route.search) query.set('q', route.search)
  const text = query.toString()
  return pathOf(route) + (text && `?${text}`)
}

function plainRoute(head: string, query: URLSearchParams): Route {
  if (head === '') return photosRoute({ search: query.get('q') ?? '' })
  if (head === 'trash') return trashRoute(idOf(query))
  if (head === 'uploads') return uploadsRoute(slugOf(query))
  return { view: 'missing' }
}

function pathOf(route: PhotosRoute | UploadsRoute): string {
  if (route.view === 'uploads') return 'uploads'
  if (route.photo !== null) return `photo/${route.photo}`
  return route.dataset === null ? '' : `d/${route.dataset}`
}

function slugOf(query: URLSearchParams): string | null {
  const slug = query.get('dataset')
  return slug !== null && isSlug(slug) ? slug : null
}

function idOf(query: URLSearchParams): string | null {
  const id = query.get('photo')?.toLowerCase() ?? ''
  return isPhotoId(id) ? id : null
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

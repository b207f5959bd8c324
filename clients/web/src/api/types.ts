// The JSON of the server, as docs/http-api.md tells it. Times are RFC 3339, sizes bytes, lengths pixels.

export type Role = 'viewer' | 'contributor' | 'editor' | 'admin'

export interface SessionState {
  mode: 'open' | 'keys'
  role: Role | null
  limits: {
    /** After so many days in the trash a photo may be deleted for good. */
    trash_days: number
  }
}

export interface Photo {
  id: string
  name: string
  link: string
  preview: string
  dataset: string
  sha256: string
  bytes: number
  media_type: string
  width: number
  height: number
  uploaded_at: string
  deleted_at: string | null
  /** A ThumbHash in base64; null until it is made. */
  placeholder: string | null
  /** More than one: it is animated, or has pages. */
  frames: number
  /** Local time of the camera, without a zone. */
  taken_at: string | null
}

export interface PhotoDetails extends Photo {
  camera: string | null
  lens: string | null
  position: { latitude: number; longitude: number } | null
  derivation: 'pending' | 'done' | 'failed'
}

export interface PhotoPage {
  photos: Photo[]
  /** The cursor of the next page; null on the last one. */
  next: string | null
}

export interface Dataset {
  slug: string
  name: string
  photos: number
  bytes: number
  created_at: string
}

export interface DatasetPage {
  datasets: Dataset[]
  /** The cursor of the next page; null on the last one. */
  next: string | null
}

export interface Stats {
  photos: number
  bytes: number
  days: { day: string; photos: number; bytes: number }[]
}

/** How many photos were uploaded on a day (UTC), such as 2026-11-23. */
export interface Day {
  day: string
  photos: number
}

export interface Timeline {
  photos: number
  /** Newest first, without days that have none. */
  days: Day[]
}

export interface Marks {
  every: number
  /** Ids of the photos number `every`, 2 `every`, …; each is a cursor. */
  marks: string[]
  /** The cursor for the marks after these; null when there are none. */
  next: string | null
}

/** What became of photos that were to be moved. */
export interface Moved {
  done: string[]
  missing: string[]
  /** Photos that stay in the trash, because an equal one is in the dataset. */
  twins: { id: string; twin: string }[]
}

export interface KnownPhoto {
  sha256: string
  id: string
  link: string
}

/** An error as the server tells it (RFC 9457); further members depend on the code. */
export interface ProblemBody {
  code: string
  title?: string
  detail?: string
  status?: number
  [member: string]: unknown
}

export interface Accepted {
  index: number
  status: 'created' | 'duplicate'
  id: string
  name: string
  link: string
  preview: string
  sha256: string
  bytes: number
  media_type: string
  width: number
  height: number
}

export interface Rejected {
  index: number
  status: 'rejected'
  name: string
  problem: ProblemBody
}

/** What became of one photo of an upload. */
export type Outcome = Accepted | Rejected

// Photos as a list that a person keeps, with the members that the lists of the server have.

import type { Photo } from '../api/types.ts'
import { csvOf } from './csv.ts'

export type ListFormat = 'csv' | 'json'

const COLUMNS = ['id', 'name', 'link', 'dataset', 'sha256', 'bytes', 'media_type', 'width', 'height', 'uploaded_at', 'taken_at'] as const

type Row = Pick<Photo, (typeof COLUMNS)[number]>

/** The text of a file of that format: one line, or one member of the array, for each photo. */
export function listOf(photos: readonly Photo[], format: ListFormat): string {
  const rows = photos.map(rowOf)
  return format === 'csv' ? csvOf(COLUMNS, rows) : `${JSON.stringify(rows, null, 1)}\n`
}

const rowOf = (photo: Photo): Row => Object.fromEntries(COLUMNS.map((name) => [name, photo[name]])) as Row

// What became of an upload, as files that a person keeps.

import { csvOf, type Cell } from '../csv.ts'
import type { Item } from './item.ts'

export type Format = 'txt' | 'csv' | 'json'

export const MEDIA_TYPES: Record<Format, string> = { txt: 'text/plain', csv: 'text/csv', json: 'application/json' }
const COLUMNS = ['name', 'path', 'dataset', 'status', 'id', 'link', 'sha256', 'bytes', 'problem'] as const

type Row = Record<(typeof COLUMNS)[number], Cell>

/** The links alone, or everything about every file, as text of that format. */
export function reportOf(items: readonly Item[], format: Format): string {
  if (format === 'txt') return linksOf(items).map((link) => `${link}\n`).join('')
  const rows = items.map(rowOf)
  return format === 'json' ? `${JSON.stringify(rows, null, 1)}\n` : csvOf(COLUMNS, rows)
}

export const linksOf = (items: readonly Item[]): string[] => items.flatMap(({ link }) => link ?? [])

const rowOf = ({ file, path, dataset, status, id, link, digest, bytes, problem }: Item): Row => ({
  name: file.name, path, dataset, status, id, link, sha256: digest, bytes, problem: problem?.code ?? null,
})

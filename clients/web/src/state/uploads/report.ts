// What became of an upload, as files that a person keeps.

import type { Item } from './item.ts'

export type Format = 'txt' | 'csv' | 'json'

export const MEDIA_TYPES: Record<Format, string> = { txt: 'text/plain', csv: 'text/csv', json: 'application/json' }
const COLUMNS = ['name', 'path', 'dataset', 'status', 'id', 'link', 'sha256', 'bytes', 'problem'] as const
/** What spreadsheets take for the beginning of a formula. */
const FORMULA = /^[=+\-@\t\r]/

type Row = Record<(typeof COLUMNS)[number], string | number | null>

/** The links alone, or everything about every file, as text of that format. */
export function reportOf(items: readonly Item[], format: Format): string {
  if (format === 'txt') return linksOf(items).map((link) => `${link}\n`).join('')
  const rows = items.map(rowOf)
  if (format === 'json') return `${JSON.stringify(rows, null, 1)}\n`
  return [COLUMNS, ...rows.map((row) => COLUMNS.map((name) => row[name]))].map((cells) => `${cells.map(cell).join(',')}\r\n`).join('')
}

export const linksOf = (items: readonly Item[]): string[] => items.flatMap(({ link }) => link ?? [])

const rowOf = ({ file, path, dataset, status, id, link, digest, bytes, problem }: Item): Row => ({
  name: file.name, path, dataset, status, id, link, sha256: digest, bytes, problem: problem?.code ?? null,
})

/** A cell after RFC 4180. A quote before a formula makes spreadsheets show it and not run it. */
function cell(value: string | number | null): string {
  const text = String(value ?? '')
  const safe = FORMULA.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

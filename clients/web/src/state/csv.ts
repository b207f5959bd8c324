// Tables as CSV (RFC 4180).

export type Cell = string | number | null

/** What spreadsheets take for the beginning of a formula, the wide signs of Asian keyboards too (OWASP, CSV injection). */
const FORMULA = /^[=+\-@＝＋－＠\t\r\n]/

/** The columns as the first line, then a line for each row. */
export function csvOf<Name extends string>(columns: readonly Name[], rows: readonly Readonly<Record<Name, Cell>>[]): string {
  const lines: (readonly Cell[])[] = [columns, ...rows.map((row) => columns.map((name) => row[name]))]
  return lines.map((cells) => `${cells.map(written).join(',')}\r\n`).join('')
}

/** A quote before a formula makes spreadsheets show it and not run it. */
function written(value: Cell): string {
  const text = String(value ?? '')
  const safe = FORMULA.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

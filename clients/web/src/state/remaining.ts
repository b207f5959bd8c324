const DAY_MS = 86_400_000

/**
 * Days that a photo stays in the trash for certain, begun ones included; 0 when it may go at any time.
 * `deletedAt` is RFC 3339, `trashDays` what the server waits, `now` milliseconds. A clock that runs late adds no days.
 */
export function daysLeft(deletedAt: string, trashDays: number, now: number): number {
  const left = (Date.parse(deletedAt) - now) / DAY_MS + trashDays
  return Math.min(Math.ceil(trashDays), Math.max(0, Math.ceil(left)))
}

// What a problem of a request means for the photos in it.

import type { Problem } from '../../api/problem.ts'

/**
 * `again`: it passes by itself. `smaller`: the same in smaller requests. `key`: as soon as there is a key. `halt`: a person
 * has to do something first.
 */
export type Verdict = 'again' | 'smaller' | 'key' | 'halt'

const PASSING = new Set(['busy', 'storage_unavailable', 'too_many_uploads', 'too_many_requests', 'body_too_slow', 'malformed_body'])
const TOO_MUCH = 413
const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 30_000

export function verdictOn(problem: Problem): Verdict {
  if (problem.code === 'key_required') return 'key'
  if (problem.code === 'internal' || isLimit(problem)) return 'smaller'
  return problem.code === 'offline' || PASSING.has(problem.code) ? 'again' : 'halt'
}

/** Whether a proxy, not Albumen, refused a request for its size. */
export const isTooMuch = ({ code, status }: Problem): boolean => code === 'offline' && status === TOO_MUCH

/** Whether a request carried more than it may: nothing has to pass, smaller ones come through at once. */
export const isLimit = (problem: Problem): boolean => problem.code === 'too_many_photos' || isTooMuch(problem)

/** Milliseconds to wait after that many failures in a row: what the server asks for, else twice as long each time. */
export function waitMs(failures: number, retryAfter: number | null): number {
  return retryAfter === null ? Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1)) : retryAfter * 1000
}

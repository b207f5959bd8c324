// How an upload ended, as one line.

import type { Forms, Formats } from './formats.ts'

/** How many files came to which end. */
export interface Ends {
  created: number
  duplicate: number
  rejected: number
  failed: number
}

/** “Done: 19 new, 6 not taken”: the ends that any file came to, each with its number; the word alone when there are none. */
export function ended(done: string, ends: readonly (readonly [number, Forms])[], formats: Formats): string {
  const told = ends.filter(([count]) => count > 0).map(([count, forms]) => formats.counted(count, forms))
  return told.length === 0 ? done : `${done}: ${told.join(', ')}`
}

import type { Problem } from '../../api/problem.ts'
import { NONE, type Counts } from './ledger.ts'

/**
 * Why nothing is sent although there is something to send: a person wanted it so; a trouble that passes, with the time of
 * the next try; no key; a trouble that a person has to look at.
 */
export type Hold =
  | { why: 'paused' }
  | { why: 'again'; problem: Problem; at: number }
  | { why: 'key'; problem: Problem }
  | { why: 'trouble'; problem: Problem }

/** How an upload stands at one moment, sizes in bytes. What was finished before it began is in `listed` alone. */
export interface Progress extends Counts {
  /** Whether anything is left to do, held back or not. */
  isRunning: boolean
  /** Whether folders are still being looked through. */
  isReading: boolean
  hold: Hold | null
  /** Seconds until the next try, while `hold` is one that passes. */
  retryIn: number | null
  /** Every file of the list, with those of the uploads before. */
  listed: Counts
  datasets: readonly string[]
  /** Files of systems that were left out. */
  junk: number
  bytes: number
  doneBytes: number
  /** Bytes of photos that went over the wire; those of photos that were there already never do. */
  sentBytes: number
  bytesPerSecond: number | null
  secondsLeft: number | null
  /** Time spent, without pauses. */
  seconds: number
}

export const NOTHING: Progress = {
  ...NONE, isRunning: false, isReading: false, hold: null, retryIn: null, listed: NONE, datasets: [], junk: 0, bytes: 0, doneBytes: 0, sentBytes: 0, bytesPerSecond: null, secondsLeft: null, seconds: 0,
}

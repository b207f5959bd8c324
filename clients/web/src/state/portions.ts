import { MOST_MOVED } from '../api/client.ts'

/** Ids in portions that one request may move. */
export function* portions(ids: readonly string[]): Generator<string[]> {
  for (let from = 0; from < ids.length; from += MOST_MOVED) yield ids.slice(from, from + MOST_MOVED)
}

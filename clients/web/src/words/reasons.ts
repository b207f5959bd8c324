// What a refusal means with the numbers, and the kind of file, that it carries (docs/http-api.md, "Errors").

import type { ProblemBody } from '../api/types.ts'
import type { Formats } from './formats.ts'
import type { Words } from './language.svelte.ts'

/** The sentence that fits a problem exactly; null when the problem carries nothing that would make it exact. */
export function exactReason(problem: ProblemBody, words: Words, formats: Formats): string | null {
  const { code, limit } = problem
  const t = words.reasons
  if (code === 'not_a_photo') return reasonOfKind(problem, words)
  if (typeof limit !== 'number') return null
  if (code === 'too_large') return t.tooLarge(formats.bytes(limit))
  if (code === 'too_many_pixels' && typeof problem.pixels === 'number') return t.tooManyPixels(problem.pixels, limit)
  if (code === 'too_many_frames') return t.tooManyFrames(limit)
  return null
}

function reasonOfKind({ kind, media_type: format }: ProblemBody, { reasons: t }: Words): string | null {
  if (typeof kind !== 'string') return typeof format === 'string' ? t.broken(format.replace('image/', '').toUpperCase()) : null
  const known = t as unknown as { pictures: Record<string, string>; others: Record<string, string> }
  const [picture, other] = [known.pictures[kind], known.others[kind]]
  if (picture !== undefined) return t.otherPicture(picture)
  return other === undefined ? null : t.noPicture(other)
}

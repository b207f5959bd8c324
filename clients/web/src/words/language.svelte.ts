// The language of the page, and every string in it. Components read `language.words` and follow a switch at once.

import type { ProblemBody } from '../api/types.ts'
import { english } from './en.ts'
import { formatsOf, type Formats, type Locale } from './formats.ts'
import { exactReason } from './reasons.ts'
import { russian } from './ru.ts'

export type Words = ReturnType<typeof english>

export const LOCALES: Record<Locale, string> = { en: 'English', ru: 'Русский' }
const WORDS: Record<Locale, (formats: Formats) => Words> = { en: english, ru: russian }

/** The first of the wished languages that the page speaks; English for everybody else. */
export function localeFor(wishes: readonly string[]): Locale {
  const found = wishes.map((wish) => wish.slice(0, 2).toLowerCase()).find((code) => code in LOCALES)
  return (found as Locale | undefined) ?? 'en'
}

export class Language {
  locale = $state<Locale>('en')
  /** What the reader wishes, with regions: the first one of the chosen language says how dates are written. */
  wishes: readonly string[] = $state.raw([])
  readonly formats: Formats = $derived(formatsOf(this.locale, this.wishes.find((wish) => wish.startsWith(this.locale))))
  readonly words: Words = $derived(WORDS[this.locale](this.formats))

  /** What a problem means and what to do next; codes that this page does not know keep the server's own words. */
  explain(problem: ProblemBody): string {
    const known = this.words.problems as Record<string, string>
    const exact = exactReason(problem, this.words, this.formats)
    return exact ?? known[problem.code] ?? problem.detail ?? problem.title ?? this.words.problems.internal
  }
}

export const language = new Language()

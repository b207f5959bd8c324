import type { Locale } from '../words/formats.ts'
import { LOCALES, localeFor, type Language } from '../words/language.svelte.ts'

export type Theme = 'system' | 'light' | 'dark'
export const THEMES: readonly Theme[] = ['system', 'light', 'dark']

/** Where choices outlive a visit. */
export interface Memory {
  remembered: (name: string) => string | null
  remember: (name: string, value: string | null) => void
}

/** What a person chose for this browser: language and theme. App.svelte carries both into the document. */
export class Preferences {
  theme = $state<Theme>('system')
  readonly #memory: Memory
  readonly #language: Language

  constructor(language: Language, memory: Memory, wishes: readonly string[]) {
    this.#language = language
    this.#memory = memory
    language.wishes = wishes
    const theme = memory.remembered('theme')
    this.theme = THEMES.find((known) => known === theme) ?? 'system'
    const locale = memory.remembered('language')
    language.locale = locale !== null && locale in LOCALES ? (locale as Locale) : localeFor(wishes)
  }

  chooseLocale(locale: Locale): void {
    this.#language.locale = locale
    this.#memory.remember('language', locale)
  }

  chooseTheme(theme: Theme): void {
    this.theme = theme
    this.#memory.remember('theme', theme === 'system' ? null : theme)
  }
}

// Photos leave the trash and, by undo, return there: any number of them, as many at a time as the server takes.

import { MOST_MOVED, type Client } from '../api/client.ts'
import { asProblem, type Problem } from '../api/problem.ts'
import type { Photo, PhotoPage } from '../api/types.ts'
import type { Language } from '../words/language.svelte.ts'
import type { Datasets } from './datasets.svelte.ts'
import type { Gallery } from './gallery.svelte.ts'
import type { Notices } from './notices.svelte.ts'
import { portions } from './portions.ts'
import type { Selection } from './selection.svelte.ts'

export interface RestoringMeans {
  api: Pick<Client, 'listPhotos' | 'restorePhotos' | 'trashPhotos'>
  trash: Gallery
  selection: Selection
  photos: Gallery
  datasets: Datasets
  notices: Notices
  language: Language
}

export interface Progress {
  done: number
  total: number
}

type Portions = Iterable<string[]> | AsyncIterable<string[]>

/** What became of photos that were to leave the trash. */
interface Outcome {
  restored: string[]
  missing: string[]
  /** How many stay, because their dataset holds the same ones. */
  twins: number
  problem: Problem | null
}

export class Restoring {
  /** How far it is; null while nothing moves, or so little that nobody has to wait. */
  progress: Progress | null = $state.raw(null)
  #isMoving = false
  readonly #means: RestoringMeans

  constructor(means: RestoringMeans) {
    this.#means = means
  }

  /** Takes photos out of the trash and offers to undo it. Tells whether any have left. */
  async some(chosen: readonly Photo[]): Promise<boolean> {
    const { trash, selection } = this.#means
    const ids = chosen.map(({ id }) => id)
    const outcome = await this.#restore(portions(ids), ids.length)
    if (!outcome) return false
    trash.remove(...outcome.restored, ...outcome.missing)
    selection.remove(...ids)
    this.#tell(outcome, chosen.length === 1 ? chosen[0] : undefined)
    await this.#recount()
    return outcome.restored.length + outcome.missing.length > 0
  }

  /** Takes everything out of the trash, whatever its number, and offers to undo it. */
  async all(): Promise<boolean> {
    const { trash, selection } = this.#means
    const outcome = await this.#restore(this.#everything(), trash.count)
    if (!outcome) return false
    selection.clear()
    await trash.refresh()
    this.#tell(outcome)
    await this.#recount()
    return outcome.restored.length > 0
  }

  /** What was done before a problem stays done. null while other photos are on their way. */
  async #restore(ids: Portions, total: number): Promise<Outcome | null> {
    const outcome: Outcome = { restored: [], missing: [], twins: 0, problem: null }
    const isDone = await this.#inTurn(ids, total, outcome, async (portion) => {
      const { done, missing, twins } = await this.#means.api.restorePhotos(portion)
      outcome.restored.push(...done)
      outcome.missing.push(...missing)
      outcome.twins += twins.length
    })
    return isDone ? outcome : null
  }

  /** Moves photos to the trash again. */
  async #undo(ids: readonly string[]): Promise<void> {
    const { api, trash, notices, language } = this.#means
    const outcome: { problem: Problem | null } = { problem: null }
    let count = 0
    const isDone = await this.#inTurn(portions(ids), ids.length, outcome, async (portion) => {
      count += (await api.trashPhotos(portion)).done.length
    })
    if (!isDone) return
    const { problem } = outcome
    const told = problem ? language.explain(problem.body) : language.words.selection.trashed(count)
    notices.show({ text: told, isTrouble: problem !== null })
    await Promise.all([trash.refresh(), this.#recount()])
  }

  /** Moves one portion after the other, as long as there is no problem. Tells false when others are being moved. */
  async #inTurn(
    ids: Portions, total: number, outcome: { problem: Problem | null }, move: (portion: string[]) => Promise<void>,
  ): Promise<boolean> {
    if (this.#isMoving) return false
    this.#isMoving = true
    if (total > MOST_MOVED) this.progress = { done: 0, total }
    try {
      for await (const portion of ids) {
        await move(portion)
        if (this.progress) this.progress = { total, done: Math.min(total, this.progress.done + portion.length) }
      }
    } catch (error) {
      outcome.problem = asProblem(error)
    }
    this.#isMoving = false
    this.progress = null
    return true
  }

  async *#everything(): AsyncGenerator<string[]> {
    for (let cursor: string | null = null; ; ) {
      const page: PhotoPage = await this.#means.api.listPhotos({ trash: true, cursor, limit: MOST_MOVED })
      if (page.photos.length > 0) yield page.photos.map(({ id }) => id)
      if (page.next === null) return
      cursor = page.next
    }
  }

  /** Says what became of photos; of `only` by its name, as it was the only one. */
  #tell({ restored, missing, twins, problem }: Outcome, only?: Photo): void {
    const { notices, language } = this.#means
    const { trash, selection, photo, frame } = language.words
    const count = restored.length
    const back = only ? photo.restored(only.name) : selection.restored(count)
    const told = [
      count > 0 ? back : null,
      twins > 0 ? trash.twins(twins) : null,
      missing.length > 0 ? trash.missing(missing.length) : null,
      problem && language.explain(problem.body),
    ].filter((text) => text !== null)
    notices.show({
      text: told.length > 0 ? told.join(' ') : trash.emptyTitle,
      isTrouble: problem !== null || (count === 0 && twins > 0),
      ...(count > 0 ? { action: { label: frame.undo, run: () => this.#undo(restored) } } : {}),
    })
  }

  /** Numbers that are a moment old harm nobody. */
  async #recount(): Promise<void> {
    const { photos, datasets } = this.#means
    await Promise.allSettled([photos.refresh(), datasets.refresh()])
  }
}

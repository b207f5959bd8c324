import type { Client } from '../api/client.ts'
import type { Dataset, DatasetPage } from '../api/types.ts'

export const DEFAULT_DATASET = 'main'

type DatasetsApi = Pick<Client, 'listDatasets' | 'createDataset' | 'renameDataset'>

/** The datasets and their totals. */
export class Datasets {
  all: readonly Dataset[] = $state.raw([])
  readonly #api: DatasetsApi

  constructor(api: DatasetsApi) {
    this.#api = api
  }

  readonly photos: number = $derived(this.all.reduce((sum, dataset) => sum + dataset.photos, 0))
  readonly bytes: number = $derived(this.all.reduce((sum, dataset) => sum + dataset.bytes, 0))

  find(slug: string | null): Dataset | undefined {
    return this.all.find((dataset) => dataset.slug === slug)
  }

  /** The totals of one dataset, or of all for null. */
  totals(slug: string | null): { photos: number; bytes: number } {
    return slug === null ? this : (this.find(slug) ?? { photos: 0, bytes: 0 })
  }

  async refresh(): Promise<void> {
    const found: Dataset[] = []
    let cursor: string | null = null
    do {
      const page: DatasetPage = await this.#api.listDatasets(cursor)
      found.push(...page.datasets)
      cursor = page.next
    } while (cursor !== null)
    this.all = found
  }

  /** Makes a dataset and returns it. Throws a Problem, such as `dataset_exists`. */
  async create(name: string, slug: string): Promise<Dataset> {
    const made = await this.#api.createDataset(name, slug)
    await this.refresh()
    return made
  }

  /** Gives a dataset another name and returns it. Throws a Problem. */
  async rename(slug: string, name: string): Promise<Dataset> {
    const renamed = await this.#api.renameDataset(slug, name)
    await this.refresh()
    return renamed
  }

  clear(): void {
    this.all = []
  }
}

/** Russian letters from а to я and ё in Latin ones; services/datasets.py has the same. */
const LATIN = 'a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh shch  y  e yu ya'.split(' ')
const latin = (letter: string): string => (letter === 'ё' ? 'yo' : (LATIN[letter.charCodeAt(0) - 'а'.charCodeAt(0)] ?? ''))

/** A slug made of the letters (Russian ones in Latin) and digits of a name, as the server makes it; empty when there is none. */
export const slugFor = (name: string): string =>
  name
    .normalize('NFC')
    .toLowerCase()
    .replace(/[а-яё]/g, latin)
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 63)
    .replace(/-+$/, '')

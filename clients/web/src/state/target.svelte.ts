import { isSlug } from '../api/ids.ts'
import { DEFAULT_DATASET, slugFor } from './datasets.svelte.ts'

/** The dataset that uploads go to, as a person writes it on their page. */
export class Target {
  /** What stands in the field: a slug, or a name that one is made from. */
  text = $state(DEFAULT_DATASET)
  /** The slug that is meant; empty when there is none. */
  readonly slug: string = $derived(isSlug(this.text) ? this.text : slugFor(this.text))

  /** Takes the dataset of the address; a name that means it stays as it is written. */
  follow(slug: string): void {
    if (slug !== this.slug) this.text = slug
  }
}

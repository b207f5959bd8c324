import type { Choosing } from './choosing.ts'
import type { Gallery } from './gallery.svelte.ts'
import type { Looking } from './looking.svelte.ts'
import type { Selection } from './selection.svelte.ts'

/** A list of photos as a person works with it: the list itself, the window upon it, and what is chosen of it. */
export interface Shelf {
  photos: Gallery
  looking: Looking
  selection: Selection
  choosing: Choosing
}

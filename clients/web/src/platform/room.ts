// How much room the window has for words. The widths are those of the styles.

import { MediaQuery } from 'svelte/reactivity'

/** Windows of phones. */
export const narrow = new MediaQuery('width < 40rem')

/** Windows in which a number has to do without its word. */
export const scant = new MediaQuery('width < 24rem')

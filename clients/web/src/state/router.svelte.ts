import { isSameList, parseRoute, writeRoute, type Route } from './route.ts'

/** What the router needs of a window. */
export interface Place {
  location: Pick<Location, 'pathname' | 'search'>
  history: Pick<History, 'pushState' | 'replaceState' | 'back' | 'forward' | 'state' | 'scrollRestoration'>
  addEventListener: (type: 'popstate', listener: () => void) => void
}

/** What an entry of the history has of our own. */
interface Entry {
  /** How many entries of this page lie before it. */
  depth?: number
  /** Where the view stood when it was left. */
  place?: unknown
  /** It is there for a layer over the list of the entry before it. */
  isLayer?: boolean
}

/**
 * Where the page is. Every view has an address of its own, so Back and sharing work.
 *
 * Over a list there may lie a layer, such as a selection, which Back takes away first. It has an entry of the history,
 * of the same address. An entry whose layer is no longer there is passed over, in either direction.
 */
export class Router {
  route: Route = $state.raw({ view: 'missing' })
  readonly #place: Place
  readonly #root: string
  /** The entry that the page is at, as it was before Back or Forward. */
  #last: Entry
  #layer: { depth: number; onBack: () => void } | null = null
  /** What waits until we have come back from the entry of a layer that has ended. */
  #leaving: (() => void)[] | null = null

  constructor(place: Place, root: string) {
    this.#place = place
    this.#root = root
    this.#read()
    this.#last = this.#entry
    place.addEventListener('popstate', () => this.#popped())
  }

  /** The address of a route, for links. */
  address(route: Route): string {
    return this.#root + writeRoute(route)
  }

  /** The route that an address leads to, or null when it is not one of ours. */
  routeAt(pathname: string, search: string): Route | null {
    if (!pathname.startsWith(this.#root)) return null
    const route = parseRoute(pathname.slice(this.#root.length), new URLSearchParams(search))
    return route.view === 'missing' ? null : route
  }

  /** Goes to a route; Back returns from it. A layer stays only below a photo of its own list. */
  go(route: Route): void {
    if (this.#leaving) return void this.#leaving.push(() => this.go(route))
    const isKept = this.#layer !== null && isSameList(route, this.route)
    if (this.#entry.isLayer && !isKept) this.#replace({ depth: this.#depth }, route)
    else this.#push({ depth: this.#depth + 1 }, route)
    if (!isKept) this.#layer = null
  }

  /** Takes another route for the present one, as typing in the search does. */
  replace(route: Route): void {
    if (this.#leaving) return void this.#leaving.push(() => this.replace(route))
    const isKept = this.#layer !== null && isSameList(route, this.route)
    this.#replace({ depth: this.#depth, ...(isKept && this.#entry.isLayer ? { isLayer: true } : {}) }, route)
    if (!isKept) this.#layer = null
  }

  /** Closes what was opened: goes back when the page itself came here, else to `fallback`. */
  close(fallback: Route): void {
    if (this.#depth > 0) this.#place.history.back()
    else this.replace(fallback)
  }

  /** What `remember` was told for this entry of the history; Back and a reload bring it back. */
  get remembered(): unknown {
    return this.#entry.place
  }

  /** Keeps where the view stands, with the present entry of the history. */
  remember(place: unknown): void {
    this.#replace({ ...this.#entry, place }, this.route)
  }

  /** A layer lies over the list now; `onBack` has to take it away. */
  lay(onBack: () => void): void {
    if (this.#layer) return
    this.#layer = { depth: this.#depth + (this.#entry.isLayer ? 0 : 1), onBack }
    if (this.#leaving) this.#leaving.push(() => this.#pushLayer())
    else this.#pushLayer()
  }

  /** The layer is gone, and with it its entry of the history. */
  lift(): void {
    if (!this.#layer) return
    this.#layer = null
    if (this.#entry.isLayer && !this.#leaving) this.#leave()
  }

  get #entry(): Entry {
    return (this.#place.history.state as Entry | null) ?? {}
  }

  get #depth(): number {
    return this.#entry.depth ?? 0
  }

  #push(entry: Entry, route: Route): void {
    this.#place.history.pushState(entry, '', this.address(route))
    this.#wrote(entry, route)
  }

  #replace(entry: Entry, route: Route): void {
    this.#place.history.replaceState(entry, '', this.address(route))
    this.#wrote(entry, route)
  }

  #wrote(entry: Entry, route: Route): void {
    this.#last = entry
    if (route !== this.route) this.route = route
  }

  /** The list stays where it is when the layer ends, so the browser must not scroll it back to where the layer began. */
  #pushLayer(): void {
    if (!this.#layer || this.#entry.isLayer) return
    const { place } = this.#entry
    this.#replace({ ...this.#entry, depth: this.#depth }, this.route)
    this.#place.history.scrollRestoration = 'manual'
    this.#push({ depth: this.#depth + 1, isLayer: true, ...(place === undefined ? {} : { place }) }, this.route)
  }

  #leave(): void {
    this.#leaving = []
    this.#place.history.back()
  }

  #popped(): void {
    const from = this.#last
    const waiting = this.#leaving
    this.#leaving = null
    this.#read()
    this.#last = this.#entry
    if (this.#entry.isLayer) this.#cameToLayer(from)
    else if (this.#entry.depth !== undefined) this.#cameFrom(from, waiting !== null)
    for (const work of waiting ?? []) work()
  }

  #cameToLayer(from: Entry): void {
    if (this.#layer) return
    if (this.#depth < (from.depth ?? Infinity)) this.#leave() // an entry of unknown depth is a later one, of an address with a #
    else this.#place.history.forward()
  }

  #cameFrom(from: Entry, isLeft: boolean): void {
    const steps = (from.depth ?? 0) - this.#depth
    if (from.isLayer && steps === 1) this.#keepPlaceOf(from)
    if (isLeft || steps <= 0) return
    if (this.#layer && this.#depth < this.#layer.depth) this.#takeLayer()
    else if (from.isLayer && !this.#layer) this.#place.history.back()
  }

  #takeLayer(): void {
    const layer = this.#layer
    this.#layer = null
    layer?.onBack()
  }

  #keepPlaceOf({ place }: Entry): void {
    this.#place.history.scrollRestoration = 'auto'
    if (place !== undefined) this.remember(place)
  }

  #read(): void {
    const { pathname, search } = this.#place.location
    const route = this.routeAt(pathname, search) ?? { view: 'missing' }
    if (JSON.stringify(route) !== JSON.stringify(this.route)) this.route = route
  }
}

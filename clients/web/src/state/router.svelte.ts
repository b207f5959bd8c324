import { parseRoute, writeRoute, type Route } from './route.ts'

/** What the router needs of a window. */
export interface Place {
  location: Pick<Location, 'pathname' | 'search'>
  history: Pick<History, 'pushState' | 'replaceState' | 'back' | 'state'>
  addEventListener: (type: 'popstate', listener: () => void) => void
}

/** What an entry of the history has of our own. */
interface Entry {
  /** How many entries of this page lie before it. */
  depth?: number
  /** Where the view stood when it was left. */
  place?: unknown
}

/** Where the page is. Every view has an address of its own, so Back and sharing work. */
export class Router {
  route: Route = $state.raw({ view: 'missing' })
  readonly #place: Place
  readonly #root: string

  constructor(place: Place, root: string) {
    this.#place = place
    this.#root = root
    this.#read()
    place.addEventListener('popstate', () => this.#read())
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

  /** Goes to a route; Back returns from it. */
  go(route: Route): void {
    this.#place.history.pushState({ depth: this.#depth + 1 }, '', this.address(route))
    this.route = route
  }

  /** Takes another route for the present one, as typing in the search does. */
  replace(route: Route): void {
    this.#place.history.replaceState({ depth: this.#depth }, '', this.address(route))
    this.route = route
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
    this.#place.history.replaceState({ ...this.#entry, place }, '', this.address(this.route))
  }

  get #entry(): Entry {
    return (this.#place.history.state as Entry | null) ?? {}
  }

  get #depth(): number {
    return this.#entry.depth ?? 0
  }

  #read(): void {
    const { pathname, search } = this.#place.location
    this.route = this.routeAt(pathname, search) ?? { view: 'missing' }
  }
}

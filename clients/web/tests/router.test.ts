import { beforeEach, describe, expect, it } from 'vitest'
import { photosRoute, trashRoute, uploadsRoute } from '../src/state/route.ts'
import { Router, type Place } from '../src/state/router.svelte.ts'

interface Entry {
  address: string
  state: unknown
}

/** A history as browsers keep it: entries, and a place among them. */
class Browsing implements Place {
  entries: Entry[]
  at = 0
  /** Whether somebody went back from the first entry. */
  hasLeft = false
  listeners: (() => void)[] = []
  traversals: (() => void)[] = []

  constructor(address: string) {
    this.entries = [{ address, state: null }]
  }

  get entry(): Entry {
    return this.entries[this.at] as Entry
  }

  get location() {
    const [pathname = '', query] = this.entry.address.split('?')
    return { pathname, search: query ? `?${query}` : '' }
  }

  history = {
    pushState: (state: unknown, _: string, address?: string | URL | null) => {
      this.entries = [...this.entries.slice(0, this.at + 1), { address: String(address), state }]
      this.at += 1
    },
    replaceState: (state: unknown, _: string, address?: string | URL | null) => {
      this.entries[this.at] = { address: String(address), state }
    },
    scrollRestoration: 'auto' as ScrollRestoration,
    back: () => this.go(-1),
    forward: () => this.go(1),
    get state() {
      return browsing.entry.state
    },
  }

  /** Goes there when the present work is done; nowhere beyond the ends. */
  go(steps: number): void {
    const goal = this.at + steps
    if (goal < 0 || goal >= this.entries.length) return void (this.hasLeft ||= goal < 0)
    this.traversals.push(() => {
      this.at = goal
      this.listeners.forEach((listener) => listener())
    })
  }

  /** Lets everything that was asked for happen. */
  settle(): void {
    for (let next = this.traversals.shift(); next; next = this.traversals.shift()) next()
  }

  addEventListener = (_: 'popstate', listener: () => void): void => void this.listeners.push(listener)
}

const ID = '01a206e1-c8e4-72a8-a32b-6ec2f56c0661'
let browsing: Browsing

function routerAt(address: string, root = '/'): Router {
  browsing = new Browsing(address)
  return new Router(browsing, root)
}

function back(steps = 1): void {
  browsing.go(-steps)
  browsing.settle()
}

function forward(): void {
  browsing.go(1)
  browsing.settle()
}

describe('the router', () => {
  let router: Router
  beforeEach(() => {
    router = routerAt('/d/cats?q=a')
  })

  it('begins with the route of the address', () => {
    expect(router.route).toEqual(photosRoute({ dataset: 'cats', search: 'a' }))
  })

  it('writes an address for each route that it goes to, and Back returns', () => {
    router.go(uploadsRoute('cats'))
    expect(browsing.entry.address).toBe('/uploads?dataset=cats')
    back()
    expect(router.route).toEqual(photosRoute({ dataset: 'cats', search: 'a' }))
  })

  it('leaves no entry of the history behind for a replaced route', () => {
    router.replace(photosRoute({ search: 'ab' }))
    expect(browsing.entries).toHaveLength(1)
    expect(router.route).toEqual(photosRoute({ search: 'ab' }))
  })

  it('closes what it opened by going back, also after steps to neighbours', () => {
    router.go(photosRoute({ photo: ID }))
    router.replace(photosRoute({ photo: ID.replace('1', '2') }))
    router.close(photosRoute())
    browsing.settle()
    expect(browsing.at).toBe(0)
    expect(router.route).toEqual(photosRoute({ dataset: 'cats', search: 'a' }))
  })

  it('closes what a shared address opened without leaving the page', () => {
    router = routerAt(`/photo/${ID}?dataset=cats`)
    router.close(photosRoute({ dataset: 'cats' }))
    expect(browsing.entries.map(({ address }) => address)).toEqual(['/d/cats'])
  })

  it('works below a path', () => {
    router = routerAt('/photos/albumen/trash', '/photos/albumen/')
    expect(router.route).toEqual(trashRoute())
    expect(router.address(photosRoute({ dataset: 'cats' }))).toBe('/photos/albumen/d/cats')
    expect(router.routeAt('/elsewhere', '')).toBeNull()
  })

  it('knows which addresses are not its own', () => {
    expect(router.routeAt('/api/docs', '')).toBeNull()
    expect(router.routeAt(`/get/${ID}`, '')).toBeNull()
    expect(router.routeAt('/', '?q=a')).toEqual(photosRoute({ search: 'a' }))
  })
})

describe('a layer over a list', () => {
  const LIST = photosRoute({ dataset: 'cats' })
  const PHOTO = { ...LIST, photo: ID }
  let router: Router
  let ended: number
  const lay = (): void => router.lay(() => (ended += 1))
  const lift = (): void => {
    router.lift()
    browsing.settle()
  }
  const addresses = (): string[] => browsing.entries.map(({ address }) => address)

  beforeEach(() => {
    router = routerAt('/')
    router.go(LIST)
    ended = 0
  })

  it('is what Back takes away first, and the list stays', () => {
    lay()
    expect([browsing.at, browsing.entry.address]).toEqual([2, '/d/cats'])
    back()
    expect([browsing.at, ended, router.route]).toEqual([1, 1, LIST])
    back()
    expect([browsing.at, ended]).toEqual([0, 1])
  })

  it('takes its entry away when it ends otherwise', () => {
    lay()
    lift()
    expect([browsing.at, ended]).toEqual([1, 0])
    back()
    expect(browsing.at).toBe(0)
  })

  it('has one entry however often it begins and ends', () => {
    for (let times = 0; times < 3; times += 1) {
      lay()
      lift()
    }
    lay()
    lay()
    expect(browsing.entries).toHaveLength(3)
  })

  it('that begins again at once has its entry again', () => {
    lay()
    router.lift()
    lay()
    browsing.settle()
    expect([browsing.at, browsing.entries.length]).toEqual([2, 3])
    back()
    expect([browsing.at, ended]).toEqual([1, 1])
  })

  it('that begins and ends while its last entry is left goes back once', () => {
    lay()
    router.lift()
    lay()
    lift()
    expect(browsing.at).toBe(1)
  })

  it('is not there again after Forward, and Back goes on from there as from the list', () => {
    lay()
    back()
    forward()
    expect([ended, router.route]).toEqual([1, LIST])
    back()
    expect(browsing.at).toBe(0)
  })

  it('that is not there again lets Back leave the page, too', () => {
    router = routerAt('/d/cats')
    lay()
    lift()
    forward()
    back()
    expect(browsing.hasLeft).toBe(true)
  })

  it('stays below a photo of its list, which Back closes first', () => {
    lay()
    router.go(PHOTO)
    router.close(LIST)
    browsing.settle()
    expect([browsing.at, ended]).toEqual([2, 0])
    back()
    expect([browsing.at, ended]).toEqual([1, 1])
  })

  it('that ended below a photo is passed over in both directions', () => {
    lay()
    router.go(PHOTO)
    lift()
    back()
    expect([browsing.at, router.route]).toEqual([1, LIST])
    forward()
    expect([browsing.at, router.route]).toEqual([3, PHOTO])
  })

  it('ends as well when Back goes farther at once', () => {
    lay()
    router.go(PHOTO)
    back(2)
    expect([browsing.at, ended]).toEqual([1, 1])
  })

  it('leaves no entry behind when another view is opened', () => {
    lay()
    router.go(trashRoute())
    lift()
    expect(addresses()).toEqual(['/', '/d/cats', '/trash'])
    back()
    expect([router.route, ended]).toEqual([LIST, 0])
    forward()
    expect(router.route).toEqual(trashRoute())
  })

  it('leaves no entry behind when another view is opened as it ends', () => {
    lay()
    router.lift()
    router.go(trashRoute())
    browsing.settle()
    expect([addresses(), router.route]).toEqual([['/', '/d/cats', '/trash'], trashRoute()])
  })

  it('is gone after a reload, and Back leaves the list at once', () => {
    lay()
    browsing.listeners = []
    router = new Router(browsing, '/')
    expect(router.route).toEqual(LIST)
    back()
    expect([browsing.at, router.route]).toEqual([0, photosRoute()])
  })

  it('that begins after such a reload takes the entry that is there', () => {
    lay()
    browsing.listeners = []
    router = new Router(browsing, '/')
    lay()
    expect(browsing.entries).toHaveLength(3)
    back()
    expect([browsing.at, ended]).toEqual([1, 1])
  })

  it('is passed over from an address with a # that a person went to above it', () => {
    lay()
    browsing.history.pushState(null, '', `${browsing.entry.address}#main`)
    router.lift()
    router.remember({ y: 1 })
    back()
    expect([browsing.at, router.route]).toEqual([1, LIST])
  })

  it('leaves the list where it was scrolled to meanwhile', () => {
    router.remember({ y: 1 })
    lay()
    expect(router.remembered).toEqual({ y: 1 })
    router.remember({ y: 2 })
    expect(browsing.history.scrollRestoration).toBe('manual')
    back()
    expect([router.remembered, browsing.history.scrollRestoration]).toEqual([{ y: 2 }, 'auto'])
    back()
    expect(router.remembered).toBeUndefined()
  })
})

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
  listeners: (() => void)[] = []

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
    back: () => {
      this.at -= 1
      this.listeners.forEach((listener) => listener())
    },
    get state() {
      return browsing.entry.state
    },
  }

  addEventListener = (_: 'popstate', listener: () => void): void => void this.listeners.push(listener)
}

const ID = '01a206e1-c8e4-72a8-a32b-6ec2f56c0661'
let browsing: Browsing

function routerAt(address: string, root = '/'): Router {
  browsing = new Browsing(address)
  return new Router(browsing, root)
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
    browsing.history.back()
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

import { describe, expect, it } from 'vitest'
import { fitted, Zoom } from '../src/state/zoom.svelte.ts'

function zoomOn(photo: { width: number; height: number }): Zoom {
  const zoom = new Zoom()
  zoom.stage = { width: 1000, height: 500 }
  zoom.show(photo)
  return zoom
}

describe('a photo on the stage', () => {
  it('fits as a whole, and a small one is not enlarged', () => {
    expect(fitted({ width: 4000, height: 1000 }, { width: 1000, height: 500 })).toEqual({ width: 1000, height: 250 })
    expect(fitted({ width: 300, height: 200 }, { width: 1000, height: 500 })).toEqual({ width: 300, height: 200 })
  })

  it('stays under the pointer while it is magnified', () => {
    const zoom = zoomOn({ width: 4000, height: 2000 })
    zoom.to(2, { x: 100, y: 50 })
    expect([zoom.scale, zoom.x, zoom.y]).toEqual([2, -100, -50])
    zoom.to(4, { x: 100, y: 50 })
    expect([zoom.x, zoom.y]).toEqual([-300, -150])
  })

  it('is moved as far as its edges and not further', () => {
    const zoom = zoomOn({ width: 4000, height: 2000 })
    zoom.to(2)
    zoom.move(9999, -9999)
    expect([zoom.x, zoom.y]).toEqual([500, -250])
  })

  it('comes back to the middle when it is reduced', () => {
    const zoom = zoomOn({ width: 4000, height: 1000 })
    zoom.to(3, { x: 400, y: 100 })
    zoom.to(0.2)
    expect([zoom.scale, zoom.x + 0, zoom.y + 0]).toEqual([1, 0, 0])
  })

  it('shows its true pixels at a double click, and the whole photo at the next', () => {
    const zoom = zoomOn({ width: 4000, height: 2000 })
    zoom.toggle({ x: 0, y: 0 })
    expect(zoom.scale).toBe(4)
    zoom.toggle({ x: 0, y: 0 })
    expect(zoom.isZoomed).toBe(false)
  })

  it('is magnified until a pixel covers two, a small photo at least fourfold', () => {
    expect(zoomOn({ width: 8000, height: 4000 }).most).toBe(16)
    const small = zoomOn({ width: 100, height: 100 })
    for (let step = 0; step < 20; step += 1) small.in()
    expect(small.scale).toBe(4)
  })

  it('is whole again when another one is shown', () => {
    const zoom = zoomOn({ width: 4000, height: 2000 })
    zoom.to(3, { x: 10, y: 10 })
    zoom.show({ width: 200, height: 100 })
    expect([zoom.scale, zoom.x, zoom.y, zoom.fit.width]).toEqual([1, 0, 0, 200])
  })
})

import { beforeEach, describe, expect, it } from 'vitest'
import { Gestures, isMeant, type Pointer } from '../src/state/gestures.ts'

describe('a gesture', () => {
  let told: unknown[]
  let isZoomed: boolean
  let gestures: Gestures
  const at = (x: number, y: number, time = 0, id = 1): Pointer => ({ id, x, y, time })
  const drag = (...path: [number, number, number][]): void => {
    const [first, ...rest] = path.map(([x, y, time]) => at(x, y, time)) as [Pointer, ...Pointer[]]
    gestures.down(first)
    rest.forEach((pointer) => gestures.move(pointer))
    gestures.up(rest.at(-1) ?? first)
  }

  beforeEach(() => {
    told = []
    isZoomed = false
    gestures = new Gestures({
      isZoomed: () => isZoomed,
      pan: (x, y) => told.push(['pan', x, y]),
      pinch: ({ x, y }, factor, by) => told.push(['pinch', x, y, factor, by.x, by.y]),
      drag: (kind, offset) => told.push([kind, offset]),
      release: (kind, offset, speed) => told.push(['release', kind, offset, speed]),
      tap: () => told.push('tap'),
      doubleTap: () => told.push('double tap'),
    })
  })

  it('along the row is a swipe, with the speed of its end', () => {
    drag([0, 0, 0], [-5, 0, 10], [-50, 10, 500], [-90, 10, 520])
    expect(told).toEqual([['swipe', -50], ['swipe', -90], ['release', 'swipe', -90, -2]])
  })

  it('downwards lets the photo fall, upwards means nothing', () => {
    drag([0, 0, 0], [2, 60, 100])
    expect(told).toEqual([['drop', 60], ['release', 'drop', 60, 0]])
    told = []
    drag([0, 0, 0], [2, -60, 100])
    expect(told).toEqual([])
  })

  it('moves a magnified photo', () => {
    isZoomed = true
    drag([0, 0, 0], [20, 5, 10], [30, 5, 20])
    expect(told).toEqual([['pan', 20, 5], ['pan', 10, 0]])
  })

  it('of two fingers magnifies around their middle, and the finger that stays moves the photo', () => {
    gestures.down(at(-50, 0, 0, 1))
    gestures.down(at(50, 0, 0, 2))
    gestures.move(at(150, 0, 10, 2))
    gestures.up(at(150, 0, 20, 2))
    gestures.move(at(-40, 0, 30, 1))
    gestures.up(at(-40, 0, 40, 1))
    expect(told).toEqual([['pinch', 50, 0, 2, 50, 0], ['pan', 10, 0]])
  })

  it('of a second finger breaks a swipe off', () => {
    gestures.down(at(0, 0))
    gestures.move(at(40, 0))
    gestures.down(at(90, 0, 0, 2))
    expect(told.at(-1)).toEqual(['release', 'swipe', 0, NaN])
  })

  it('that the browser takes over is broken off', () => {
    gestures.down(at(0, 0))
    gestures.move(at(40, 0))
    gestures.cancel(at(40, 0))
    gestures.move(at(80, 0))
    expect(told).toEqual([['swipe', 40], ['release', 'swipe', 0, NaN]])
  })

  it('without a way is a tap, the second at the same place a double tap', () => {
    drag([0, 0, 0])
    drag([3, 0, 200])
    drag([3, 0, 400])
    drag([200, 0, 500])
    expect(told).toEqual(['tap', 'double tap', 'tap', 'tap'])
  })

  it('that is held long is no tap', () => {
    gestures.down(at(0, 0, 0))
    gestures.up(at(0, 0, 2000))
    expect(told).toEqual([])
  })

  it('is meant when it goes far or fast, not when it turns back or breaks off', () => {
    expect(isMeant(300, 0, 1000)).toBe(true)
    expect(isMeant(-30, -1, 1000)).toBe(true)
    expect(isMeant(30, 0.1, 1000)).toBe(false)
    expect(isMeant(300, -1, 1000)).toBe(false)
    expect(isMeant(0, NaN, 1000)).toBe(false)
  })
})

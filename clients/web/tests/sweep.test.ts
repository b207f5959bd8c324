import { describe, expect, it } from 'vitest'
import type { Photo } from '../src/api/types.ts'
import type { Spot } from '../src/state/sections.ts'
import { Sweep } from '../src/state/sweep.ts'

const at = (index: number): Spot => ({ section: 0, index })
const WINDOW = { top: 100, bottom: 900 }

/** A sweep over photos that come one after the other when `next` is called. */
function sweeping() {
  const reached: string[] = []
  const waiting: (() => void)[] = []
  const sweep = new Sweep({
    photoAt: ({ index }) => new Promise((resolve) => waiting.push(() => resolve({ id: String(index) } as Photo))),
    extendTo: async ({ id }) => void reached.push(id),
  })
  const next = async (): Promise<void> => {
    waiting.shift()?.()
    await new Promise((resolve) => setTimeout(resolve))
  }
  return { sweep, reached, next, asked: () => waiting.length }
}

describe('a sweep', () => {
  it('reaches a place once, however long the finger stays there', async () => {
    const { sweep, reached, next, asked } = sweeping()
    for (let frame = 0; frame < 5; frame += 1) void sweep.reach(at(3))
    await next()
    void sweep.reach(at(3))
    expect([reached, asked()]).toEqual([['3'], 0])
  })

  it('reaches the last of the places that came while photos were read, and ends there', async () => {
    const { sweep, reached, next, asked } = sweeping()
    for (const index of [1, 2, 3, 4]) void sweep.reach(at(index))
    await next()
    await next()
    expect([reached, asked()]).toEqual([['1', '4'], 0])
    void sweep.reach(at(2))
    await next()
    expect(reached).toEqual(['1', '4', '2'])
  })

  it('forgets what the finger before wanted', async () => {
    const { sweep, reached, next, asked } = sweeping()
    for (const index of [1, 2]) void sweep.reach(at(index))
    sweep.begin()
    await next()
    expect([reached, asked()]).toEqual([['1'], 0])
  })

  it('leaves the page where it is in the middle of the window', () => {
    const { sweep } = sweeping()
    for (const y of [200, 500, 800]) expect(sweep.drift(y, WINDOW, 16)).toBe(0)
  })

  it('moves the page towards the edge that is near, faster the nearer it is', () => {
    const { sweep } = sweeping()
    const ways = [110, 150, 190, 820, 860, 900].map((y) => sweep.drift(y, WINDOW, 40))
    expect(ways.toSorted((one, other) => one - other)).toEqual(ways)
    expect([ways[0] as number < 0, ways[2], ways[3] as number > 0]).toEqual([true, -3, true])
    expect(sweep.drift(5000, WINDOW, 40)).toBe(48)
    expect(sweep.drift(5000, WINDOW, 60_000)).toBe(60)
  })

  it('loses no part of a pixel, so that it moves slowly as well', () => {
    const { sweep } = sweeping()
    const ways = Array.from({ length: 101 }, () => sweep.drift(806, WINDOW, 16))
    expect(new Set(ways)).toEqual(new Set([0, 1]))
    expect(ways.reduce((sum, way) => sum + way, 0)).toBe(40) // 2 of 96 pixels deep: 0.025 a ms, for 1.616 s
  })

  it('keeps most of a low window still', () => {
    const { sweep } = sweeping()
    expect([sweep.drift(150, { top: 100, bottom: 200 }, 16), sweep.drift(176, { top: 100, bottom: 200 }, 16)]).toEqual([0, 0])
  })
})

import { describe, expect, it } from 'vitest'
import type { Photo } from '../src/api/types.ts'
import { estimated, justified } from '../src/state/justify.ts'
import { sectionsOf, type Section } from '../src/state/sections.ts'
import { Terrain } from '../src/state/terrain.ts'

const ROOM = { width: 1000, row: 200, gap: 4, caption: 0 }
const MEASURES = { ...ROOM, heading: 60, ratio: 1.5 }

/** Ratios as a camera and a phone make them, in a fixed disorder. */
const ratios = (count: number): number[] => Array.from({ length: count }, (_, at) => [1.5, 0.667, 1.333, 1, 1.778][(at * 7 + (at >> 2)) % 5] ?? 1)

const load = (section: Section, prefix: string, own = ratios(section.count)): Section => ({
  ...section,
  ratios: own,
  photos: own.map((_, at) => ({ id: `${prefix}${at}` }) as Photo),
})

describe('rows', () => {
  it('fill the width to the last pixel and are about as high as they should be', () => {
    const { rows, height } = justified(ratios(100), ROOM, { isEnd: false })
    for (const row of rows) {
      const last = row.tiles.at(-1)
      expect((last?.left ?? 0) + (last?.width ?? 0)).toBe(ROOM.width)
      expect(row.height).toBeGreaterThan(150)
      expect(row.height).toBeLessThan(270)
    }
    expect(rows.flatMap(({ tiles }) => tiles)).toHaveLength(100)
    expect(height).toBe(rows.reduce((sum, row) => sum + row.height + ROOM.gap, 0))
  })

  it('keep the ratios of their photos, but for a pixel', () => {
    const own = ratios(60)
    for (const { first, height, tiles } of justified(own, ROOM, { isEnd: true }).rows) {
      for (const [at, { width }] of tiles.entries()) expect(Math.abs(width / height - (own[first + at] ?? 0))).toBeLessThan(0.03)
    }
  })

  it('stay open at the end of a day', () => {
    const { rows } = justified([1.5], ROOM, { isEnd: true })
    expect(rows).toEqual([{ top: 0, height: 200, first: 0, tiles: [{ left: 0, width: 300 }] }])
  })

  it.each([[[0.5]], [[2.75, 2.75, 2.75]], [[0.5, 2.75]], [[]]])('are laid out of %j, too', (own) => {
    const { rows } = justified(own, { ...ROOM, width: 350 }, { isEnd: false })
    expect(rows.flatMap(({ tiles }) => tiles)).toHaveLength(own.length)
    for (const { height } of rows) expect(height).toBeLessThanOrEqual(320)
  })

  it('take about the height that was estimated', () => {
    const own = ratios(100)
    const mean = own.reduce((sum, ratio) => sum + ratio, 0) / own.length
    const { height } = justified(own, ROOM, { isEnd: false })
    expect(Math.abs(estimated(100, mean, ROOM) / height - 1)).toBeLessThan(0.06)
  })
})

describe('the terrain', () => {
  const days = [{ day: '2026-11-20', photos: 250 }, { day: '2026-11-19', photos: 3 }]

  it('knows where everything lies before anything is loaded', () => {
    const terrain = new Terrain(sectionsOf(days), MEASURES)
    expect(terrain.sections).toHaveLength(4)
    expect([terrain.rowsTop(0) - (terrain.tops[0] ?? 0), terrain.rowsTop(1) - (terrain.tops[1] ?? 0)]).toEqual([60, 0])
    expect([terrain.sectionAt(-5), terrain.sectionAt((terrain.tops[3] ?? 0) + 1), terrain.sectionAt(1e9)]).toEqual([0, 3, 3])
    expect([terrain.numberAt(0), terrain.numberAt(terrain.height - 1)]).toEqual([1, 253])
  })

  it('keeps a photo where it stands when what lies above turns out higher', () => {
    const [first, second, ...rest] = sectionsOf(days) as [Section, Section, ...Section[]]
    const before = new Terrain([first, load(second, 'b'), ...rest], MEASURES)
    const y = before.rowsTop(1) + 500
    const anchor = before.anchorAt(y)
    const after = new Terrain([load(first, 'a', Array(100).fill(0.6)), before.sections[1] as Section, ...rest], MEASURES, before)
    expect(after.tops[1]).not.toBe(before.tops[1])
    const index = Number(anchor.id?.slice(1))
    const moved = after.yOf(anchor, { section: 1, index })
    expect(moved - after.rowsTop(1)).toBe(y - before.rowsTop(1))
  })

  it('keeps its part of a section in view whose photos are not known', () => {
    const terrain = new Terrain(sectionsOf(days), MEASURES)
    const y = (terrain.tops[1] ?? 0) + 321
    expect(terrain.anchorAt(y).id).toBeNull()
    expect(terrain.yOf(terrain.anchorAt(y), null)).toBeCloseTo(y)
  })

  it('leads along rows and across them, over the borders of sections and days', () => {
    const sections = sectionsOf(days).map((section, index) => load(section, String(index)))
    const terrain = new Terrain(sections, MEASURES)
    const lastOfFirst = terrain.rowsOf(0)?.rows.at(-1)
    expect(terrain.towards({ section: 0, index: 0 }, 'left')).toBeNull()
    expect(terrain.towards({ section: 0, index: 99 }, 'right')).toEqual({ section: 1, index: 0 })
    expect(terrain.towards({ section: 1, index: 0 }, 'up')).toEqual({ section: 0, index: lastOfFirst?.first })
    expect(terrain.towards({ section: 2, index: 49 }, 'down')?.section).toBe(3)
    expect(terrain.towards({ section: 3, index: 2 }, 'down')).toBeNull()
    const below = terrain.towards({ section: 0, index: 0 }, 'down')
    expect(below && terrain.towards(below, 'up')).toEqual({ section: 0, index: 0 })
  })

  it('leads to the edge of a section whose photos are not known', () => {
    const [first, ...rest] = sectionsOf(days) as [Section, ...Section[]]
    const terrain = new Terrain([load(first, 'a'), ...rest], MEASURES)
    expect(terrain.towards({ section: 0, index: 99 }, 'down')).toEqual({ section: 1, index: 0 })
  })

  it('finds the photo at a point, or the one beside it', () => {
    const sections = sectionsOf(days).map((section, index) => load(section, String(index)))
    const terrain = new Terrain(sections, MEASURES)
    for (const spot of [{ section: 0, index: 0 }, { section: 1, index: 37 }, { section: 3, index: 2 }]) {
      const row = terrain.rowOf(spot)
      const tile = row?.tiles[spot.index - row.first]
      if (!row || !tile) throw new Error('not there')
      expect(terrain.spotAt(tile.left + tile.width / 2, row.y + row.height / 2)).toEqual(spot)
      expect(terrain.spotAt(tile.left + tile.width + 1, row.y + row.height + 1)).toEqual(spot) // in the gap
    }
    expect(terrain.spotAt(-50, -50)).toEqual({ section: 0, index: 0 })
    expect(terrain.spotAt(5000, 1e6)).toEqual({ section: 3, index: (sections[3]?.count ?? 0) - 1 })
    expect(terrain.spotAt(0, terrain.rowsTop(3) - 5)?.section).toBe(3) // a heading belongs to what is below it
    expect(new Terrain([], MEASURES).spotAt(0, 0)).toBeNull()
  })

  it('finds about the right photo where none is known', () => {
    const terrain = new Terrain(sectionsOf(days), MEASURES)
    const middle = ((terrain.tops[1] ?? 0) + (terrain.tops[2] ?? 0)) / 2
    const half = Math.floor((terrain.sections[1]?.count ?? 0) / 2)
    expect(terrain.spotAt(500, middle)).toEqual({ section: 1, index: half })
    expect(terrain.spotAt(0, -1)).toEqual({ section: 0, index: 0 })
  })

  it('lays rows of a section out once', () => {
    const sections = sectionsOf(days).map((section, index) => load(section, String(index)))
    const before = new Terrain(sections, MEASURES)
    const after = new Terrain([...sections], { ...MEASURES, ratio: 1.2 }, before)
    expect(after.rowsOf(1)).toBe(before.rowsOf(1))
    expect(new Terrain(sections, { ...MEASURES, width: 700 }, before).rowsOf(1)).not.toBe(before.rowsOf(1))
  })
})

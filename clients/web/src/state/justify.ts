// Photos in rows of even width, as they lie on a page of an album. Pure; lengths are CSS pixels.

export interface Room {
  width: number
  /** The height that rows should have, more or less. */
  row: number
  gap: number
  /** The height of what is written below each photo. */
  caption: number
}

export interface Tile {
  left: number
  width: number
}

export interface Row {
  top: number
  height: number
  /** The number of its first photo. */
  first: number
  tiles: readonly Tile[]
}

export interface Rows {
  rows: readonly Row[]
  height: number
}

/** A row may become so much lower or higher than it should be. */
const LOWEST = 0.55
const HIGHEST = 1.6

/**
 * Lays photos (width to height of each) out in full rows, broken so that their heights differ least from the wished one.
 * With `isEnd` the last row may stay open at its right side; else only a row that would become too high does.
 */
export function justified(ratios: readonly number[], room: Room, { isEnd }: { isEnd: boolean }): Rows {
  const rows: Row[] = []
  let top = 0
  for (const [first, end] of pairs(breaks(ratios, room, isEnd))) {
    const own = ratios.slice(first, end)
    const row = laidOut(own, top, first, room, isEnd && end === ratios.length)
    rows.push(row)
    top += row.height + room.caption + room.gap
  }
  return { rows, height: top }
}

/** The height that rows of so many photos of a mean ratio take, each with the caption and the gap below it. */
export function estimated(count: number, ratio: number, room: Room): number {
  const full = count * (ratio * room.row + room.gap)
  const rows = Math.max(1, Math.round(full / (room.width + room.gap)))
  const perRow = count / rows
  const height = Math.min(heightOf(ratio * perRow, perRow, room), room.row * HIGHEST)
  return rows * (Math.round(height) + room.caption + room.gap)
}

/** The height of `count` photos in one row of full width; `ratios` is the sum of theirs. */
const heightOf = (ratios: number, count: number, { width, gap }: Room): number => (width - gap * (count - 1)) / ratios

/** Where rows end: the first is 0, the last the number of photos. Least sum of costs, from the end to the beginning. */
function breaks(ratios: readonly number[], room: Room, isEnd: boolean): number[] {
  const count = ratios.length
  const cost = new Array<number>(count + 1).fill(Infinity)
  const next = new Array<number>(count + 1).fill(count)
  cost[count] = 0
  for (let first = count - 1; first >= 0; first -= 1) {
    let sum = 0
    for (let end = first + 1; end <= count; end += 1) {
      sum += ratios[end - 1] ?? 1
      const height = heightOf(sum, end - first, room) / room.row
      if (height < LOWEST && end > first + 1) break
      const total = (isEnd && end === count && height > 1 ? 0 : costOf(height)) + (cost[end] ?? 0)
      if (total < (cost[first] ?? 0)) [cost[first], next[first]] = [total, end]
    }
  }
  const found = [0]
  while ((found.at(-1) ?? count) < count) found.push(next[found.at(-1) ?? 0] ?? count)
  return found
}

/** Rows twice as high and half as high as wished are equally bad. */
const costOf = (height: number): number => Math.log(height) ** 2

function laidOut(ratios: readonly number[], top: number, first: number, room: Room, isOpen: boolean): Row {
  const sum = ratios.reduce((total, ratio) => total + ratio, 0)
  const full = heightOf(sum, ratios.length, room)
  const most = isOpen ? room.row : room.row * HIGHEST
  const height = Math.round(Math.min(full, most))
  const width = full <= most ? room.width : Math.round(sum * height) + room.gap * (ratios.length - 1)
  return { top, height, first, tiles: tilesOf(ratios, sum, width, room.gap) }
}

/** Tiles on whole pixels that fill the width to the last one. */
function tilesOf(ratios: readonly number[], sum: number, width: number, gap: number): Tile[] {
  const free = width - gap * (ratios.length - 1)
  let passed = 0
  return ratios.map((ratio, index) => {
    const left = Math.round((passed / sum) * free) + gap * index
    passed += ratio
    return { left, width: Math.round((passed / sum) * free) + gap * index - left }
  })
}

const pairs = (borders: readonly number[]): [number, number][] =>
  borders.slice(1).map((end, index) => [borders[index] ?? 0, end])

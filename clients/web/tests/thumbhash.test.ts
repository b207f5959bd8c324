import { describe, expect, it } from 'vitest'
import { bitmapOf, pictureOf } from '../src/platform/thumbhash.ts'

/** The bytes of a hash. */
const bytes = (hash: string): Uint8Array => Uint8Array.from(atob(hash), (letter) => letter.charCodeAt(0))

function pixel(bitmap: Uint8Array, x: number, y: number): number[] {
  const view = new DataView(bitmap.buffer)
  const stride = Math.ceil((view.getInt32(18, true) * 3) / 4) * 4
  const at = 54 + (view.getInt32(22, true) - 1 - y) * stride + x * 3
  return [...bitmap.slice(at, at + 3)].reverse()
}

describe('a placeholder', () => {
  it('is a bitmap of the shape of its photo', () => {
    const view = new DataView(bitmapOf(bytes('3OcRJYB4d3h/iIeHeEh3eIhw+j2w')).buffer)
    expect([view.getUint16(0), view.getInt32(18, true), view.getInt32(22, true), view.getUint16(28, true)]).toEqual([0x424d, 24, 17, 24])
  })

  it('has the colours of its photo, where they are', () => {
    const bitmap = bitmapOf(bytes('FfYC9ahfaph1iIiKiIiIiY+I+IiI')) // red to the left, blue to the right, as the server makes it
    const [left, right] = [pixel(bitmap, 2, 8), pixel(bitmap, 21, 8)]
    expect(left[0]).toBeGreaterThan(180)
    expect(left[2]).toBeLessThan(90)
    expect(right[2]).toBeGreaterThan(180)
    expect(right[0]).toBeLessThan(90)
  })

  it('is made once for each hash, and not of anything else', () => {
    expect(pictureOf('3OcRJYB4d3h/iIeHeEh3eIhw+j2w')).toBe(pictureOf('3OcRJYB4d3h/iIeHeEh3eIhw+j2w'))
    expect([pictureOf('no hash!'), pictureOf('AA==')]).toEqual([null, null])
  })
})

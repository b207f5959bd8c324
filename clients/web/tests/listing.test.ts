import { describe, expect, it } from 'vitest'
import type { Photo } from '../src/api/types.ts'
import { listOf } from '../src/state/listing.ts'

const photo = (part: Partial<Photo>): Photo => ({
  id: '01', name: 'a.jpg', link: 'http://host/get/01', preview: 'http://host/get/01?size=512', dataset: 'main', sha256: 'ab', bytes: 7,
  media_type: 'image/jpeg', width: 4, height: 3, uploaded_at: '2026-11-28T09:00:00Z', deleted_at: null, placeholder: 'x', frames: 1, taken_at: null,
  ...part,
})
const HEAD = 'id,name,link,dataset,sha256,bytes,media_type,width,height,uploaded_at,taken_at'

describe('a list of photos', () => {
  it('has a line for each in CSV, in their order, below the names that the server has for them', () => {
    const photos = [photo({}), photo({ id: '02', taken_at: '2026-11-20T14:03:11' })]
    expect(listOf(photos, 'csv').split('\r\n')).toEqual([
      HEAD,
      '01,a.jpg,http://host/get/01,main,ab,7,image/jpeg,4,3,2026-11-28T09:00:00Z,',
      '02,a.jpg,http://host/get/01,main,ab,7,image/jpeg,4,3,2026-11-28T09:00:00Z,2026-11-20T14:03:11',
      '',
    ])
  })

  it('survives any name in CSV, and is no formula', () => {
    const [, line] = listOf([photo({ name: '=1+"2",\n3' })], 'csv').split('\r\n')
    expect(line).toContain('01,"\'=1+""2"",\n3",http')
  })

  it.each(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])('has no formula that begins with %j', (sign) => {
    expect(listOf([photo({ name: `${sign}1` })], 'csv')).toMatch(/^01,"?'/m)
  })

  it('has the same members in JSON, as they are', () => {
    const [row] = JSON.parse(listOf([photo({ name: '=1' })], 'json')) as [Record<string, unknown>]
    expect(Object.keys(row).join()).toBe(HEAD)
    expect([row.name, row.bytes, row.taken_at]).toEqual(['=1', 7, null])
  })
})

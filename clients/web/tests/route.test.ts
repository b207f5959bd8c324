import { describe, expect, it } from 'vitest'
import { datasetOf, parseRoute, photosRoute, trashRoute, uploadsRoute, writeRoute, type Route } from '../src/state/route.ts'

const ID = '01a206e1-c8e4-72a8-a32b-6ec2f56c0661'

function parsed(address: string): Route {
  const [path = '', query = ''] = address.split('?')
  return parseRoute(path, new URLSearchParams(query))
}

const ADDRESSES: [string, Route][] = [
  ['', photosRoute()],
  ['?q=sunset', photosRoute({ search: 'sunset' })],
  ['d/cats', photosRoute({ dataset: 'cats' })],
  ['d/cats?q=%D0%BA%D0%BE%D1%82', photosRoute({ dataset: 'cats', search: 'кот' })],
  [`photo/${ID}`, photosRoute({ photo: ID })],
  [`photo/${ID}?dataset=cats&q=a+%26+b`, photosRoute({ dataset: 'cats', search: 'a & b', photo: ID })],
  ['trash', trashRoute()],
  [`trash?photo=${ID}`, trashRoute(ID)],
  ['uploads', uploadsRoute()],
  ['uploads?dataset=cats', uploadsRoute('cats')],
]

describe('a route', () => {
  it.each(ADDRESSES)('is read from %s', (address, route) => expect(parsed(address)).toEqual(route))

  it.each(ADDRESSES)('is written as %s', (address, route) => expect(writeRoute(route)).toBe(address))

  it.each(['nothing', 'd/', 'd/UPPER', 'd/cats/dogs', 'photo/', 'photo/12', 'trash/old', 'd/%E0%A4%A', `photo/${ID}/edit`])(
    'is missing at %s',
    (address) => expect(parsed(address)).toEqual({ view: 'missing' }),
  )

  it('knows an id in capitals', () => {
    expect(parsed(`photo/${ID.toUpperCase()}`)).toEqual(photosRoute({ photo: ID }))
  })

  it('leaves out a dataset that cannot be one', () => {
    expect(parsed('uploads?dataset=../etc')).toEqual(uploadsRoute())
  })

  it('leaves out a photo that cannot be one', () => {
    expect(parsed('trash?photo=12')).toEqual(trashRoute())
  })

  it('tells its dataset', () => {
    expect(datasetOf(photosRoute({ dataset: 'cats' }))).toBe('cats')
    expect(datasetOf(uploadsRoute('dogs'))).toBe('dogs')
    expect(datasetOf(trashRoute(ID))).toBeNull()
  })
})

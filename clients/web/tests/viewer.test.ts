import { describe, expect, it } from 'vitest'
import { Problem } from '../src/api/problem.ts'
import type { Photo, PhotoDetails } from '../src/api/types.ts'
import { sharpnessFor } from '../src/state/sharpness.ts'
import { Viewer, type Surroundings } from '../src/state/viewer.svelte.ts'

const photo = (id: string): Photo => ({ id, name: `${id}.jpg` }) as Photo
const details = (id: string, derivation = 'done'): PhotoDetails => ({ ...photo(id), derivation }) as PhotoDetails

/** A list of which only some photos are loaded. */
function list(order: string, loaded: string): Surroundings & { reached: string[] } {
  const reached: string[] = []
  const beside = (id: string, step: number): string => order[order.indexOf(id) + step] ?? ''
  const found = (id: string): Photo | null => (id && loaded.includes(id) ? photo(id) : null)
  return {
    reached,
    find: found,
    neighbour: (id, step) => found(beside(id, step)),
    reach: async (id, step) => {
      reached.push(beside(id, step))
      return null
    },
  }
}

const viewerOf = (photos: Surroundings, readPhoto = async (id: string) => details(id)): Viewer =>
  new Viewer({ api: { readPhoto }, photos, sleep: async () => {} })

describe('the photo that is looked at', () => {
  it('has the neighbours of the list, and asks for those that are not loaded', async () => {
    const photos = list('abcd', 'abc')
    const viewer = viewerOf(photos)
    await viewer.open('c')
    expect([viewer.previous?.id, viewer.photo?.id, viewer.next]).toEqual(['b', 'c', null])
    await viewer.look()
    expect(photos.reached).toEqual(['d'])
  })

  it('is shown from its own address, without a list', async () => {
    const viewer = viewerOf(list('', ''))
    await viewer.open('x')
    expect([viewer.photo?.name, viewer.previous, viewer.next]).toEqual(['x.jpg', null, null])
  })

  it('tells why it cannot be shown', async () => {
    const problem = new Problem({ code: 'photo_not_found' })
    const viewer = viewerOf(list('', ''), () => Promise.reject(problem))
    await viewer.open('x')
    expect([viewer.problem, viewer.photo]).toEqual([problem, null])
  })

  it('is asked for again until camera and place were read, but not for ever', async () => {
    const answers = ['pending', 'pending', 'done', 'never']
    const viewer = viewerOf(list('a', 'a'), async (id) => details(id, answers.shift()))
    await viewer.open('a')
    expect([viewer.details?.derivation, answers]).toEqual(['done', ['never']])
    let asked = 0
    const waiting = async (id: string): Promise<PhotoDetails> => {
      asked += 1
      return details(id, 'pending')
    }
    await viewerOf(list('a', 'a'), waiting).open('a')
    expect(asked).toBe(5)
  })

  it('is the last one that was opened, whichever answers first', async () => {
    const answers = new Map<string, (found: PhotoDetails) => void>()
    const viewer = viewerOf(list('', ''), (id) => new Promise((resolve) => answers.set(id, resolve)))
    const opened = [viewer.open('a'), viewer.open('b')]
    answers.get('b')?.(details('b'))
    answers.get('a')?.(details('a'))
    await Promise.all(opened)
    expect(viewer.details?.id).toBe('b')
  })
})

describe('the file that is shown', () => {
  const of = (width: number, height: number, media_type = 'image/jpeg', frames = 1) => ({ width, height, media_type, frames })

  it('is the smallest that is sharp', () => {
    expect(sharpnessFor(of(6000, 4000), 390)).toBe(512)
    expect(sharpnessFor(of(6000, 4000), 1100)).toBe(1024)
    expect(sharpnessFor(of(6000, 4000), 2100)).toBe(2048)
    expect(sharpnessFor(of(300, 200), 3000)).toBe(512)
  })

  it('is the original where previews end, unless browsers cannot show it', () => {
    expect(sharpnessFor(of(6000, 4000), 5000)).toBe('original')
    expect(sharpnessFor(of(2000, 1000), 5000)).toBe(2048)
    expect(sharpnessFor(of(6000, 4000, 'image/heic'), 5000)).toBe(2048)
  })

  it('is the original of what moves', () => {
    expect(sharpnessFor(of(300, 200, 'image/gif', 12), 300)).toBe('original')
    expect(sharpnessFor(of(300, 200, 'image/tiff', 12), 300)).toBe(512)
  })
})

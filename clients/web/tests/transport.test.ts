import { describe, expect, it } from 'vitest'
import { Client } from '../src/api/client.ts'
import { Problem } from '../src/api/problem.ts'
import { pauseMs, Transport } from '../src/api/transport.ts'
import { Datasets } from '../src/state/datasets.svelte.ts'

type Answer = Response | Error

const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(status === 204 ? null : JSON.stringify(body), { status, headers })

/** A network that gives these answers in turn, and keeps what was asked, the pauses, and the problems that were told. */
function network(...answers: Answer[]) {
  const asked: { address: string; init: RequestInit }[] = []
  const pauses: number[] = []
  const told: string[] = []
  const answered = { times: 0 }
  const means = {
    root: '/below/',
    fetch: async (address: string, init: RequestInit) => {
      asked.push({ address, init })
      const answer = answers.shift()
      if (answer instanceof Response) return answer
      throw answer
    },
    sleep: async (ms: number) => void pauses.push(ms),
    onProblem: (problem: Problem) => void told.push(problem.code),
    onAnswer: () => void (answered.times += 1),
  }
  return { means, transport: new Transport(means), client: new Client(means), asked, pauses, told, answered }
}

const broken = (): TypeError => new TypeError('Failed to fetch')
const busy = (headers = {}): Response => json({ code: 'busy', title: 'Busy' }, 503, headers)

describe('a call', () => {
  it('answers with JSON from below the root', async () => {
    const { transport, asked } = network(json({ photos: 2 }))
    expect(await transport.call('api/v1/stats')).toEqual({ photos: 2 })
    expect(asked[0]?.address).toBe('/below/api/v1/stats')
  })

  it('tells of every answer that is the server’s own, and of no other', async () => {
    const { transport, answered } = network(json({}), json({ code: 'role_too_small' }, 403), broken(), new Response('<h1>Bad gateway</h1>', { status: 502 }))
    await transport.call('x', { method: 'POST' })
    for (const times of [2, 2, 2]) {
      await transport.call('x', { method: 'POST' }).catch(() => {})
      expect(answered.times).toBe(times)
    }
  })

  it('leaves out empty parameters and writes the rest', () => {
    const { transport } = network()
    expect(transport.address('x', { a: '', b: null, c: undefined, d: 'к & о', e: 0 })).toBe('/below/x?d=%D0%BA+%26+%D0%BE&e=0')
    expect(transport.address('x')).toBe('/below/x')
  })

  it('sends JSON and answers 204 with nothing', async () => {
    const { transport, asked } = network(json(null, 204))
    expect(await transport.call('x', { method: 'PATCH', json: { name: 'a' } })).toBeUndefined()
    expect(asked[0]?.init).toMatchObject({ method: 'PATCH', body: '{"name":"a"}', headers: { 'Content-Type': 'application/json' } })
  })

  it('throws the problem of the server with its code and status, and tells the page', async () => {
    const { transport, told } = network(json({ code: 'photo_not_found', detail: 'No.' }, 404))
    const problem = await transport.call('x').catch((error: unknown) => error)
    expect(problem).toBeInstanceOf(Problem)
    expect(problem).toMatchObject({ code: 'photo_not_found', status: 404, message: 'No.' })
    expect(told).toEqual(['photo_not_found'])
  })

  it('reads again in passing troubles, waiting longer each time', async () => {
    const { transport, pauses, told } = network(broken(), busy(), json(1))
    expect(await transport.call('x')).toBe(1)
    expect(pauses).toEqual([400, 800])
    expect(told).toEqual([])
  })

  it('waits as long as the server asks for', async () => {
    const { transport, pauses } = network(busy({ 'Retry-After': '5' }), json(1))
    await transport.call('x')
    expect(pauses).toEqual([5000])
    expect(pauseMs(1, 3600)).toBe(10_000)
  })

  it('gives up after four reads', async () => {
    const { transport, asked } = network(broken(), broken(), broken(), broken(), json(1))
    await expect(transport.call('x')).rejects.toMatchObject({ code: 'offline' })
    expect(asked).toHaveLength(4)
  })

  it('changes nothing a second time by itself', async () => {
    const { transport, asked } = network(broken(), json(1))
    await expect(transport.call('x', { method: 'POST', json: {} })).rejects.toMatchObject({ code: 'offline' })
    expect(asked).toHaveLength(1)
  })

  it('reads once when the answer is final', async () => {
    const { transport, asked } = network(json({ code: 'key_required' }, 401), json(1))
    await expect(transport.call('x')).rejects.toMatchObject({ code: 'key_required' })
    expect(asked).toHaveLength(1)
  })

  it('takes the page of a proxy for a server that is not there', async () => {
    const page = () => new Response('<h1>Bad Gateway</h1>', { status: 502 })
    const { transport } = network(page(), page(), page(), page())
    await expect(transport.call('x')).rejects.toMatchObject({ code: 'offline', status: 502 })
  })

  it('ends with AbortError when it is given up, and tells nobody', async () => {
    const { transport, told } = network(new DOMException('', 'AbortError'))
    await expect(transport.call('x')).rejects.toMatchObject({ name: 'AbortError' })
    expect(told).toEqual([])
  })
})

describe('a search', () => {
  const ID = '01a206e1-c8e4-72a8-a32b-6ec2f56c0661'

  it('by a whole id asks for that photo, in capitals and with blanks too', async () => {
    const { client, asked } = network(json({ id: ID, dataset: 'main' }))
    expect((await client.findPhotos({ name: ` ${ID.toUpperCase()} ` })).photos).toHaveLength(1)
    expect(asked[0]?.address).toBe(`/below/api/v1/photos/${ID}`)
  })

  it('by an id finds nothing in another dataset, nor what is not there', async () => {
    const { client } = network(json({ id: ID, dataset: 'main' }), json({ code: 'photo_not_found' }, 404))
    expect(await client.findPhotos({ name: ID, dataset: 'cats' })).toEqual({ photos: [], next: null })
    expect(await client.findPhotos({ name: ID })).toEqual({ photos: [], next: null })
  })

  it('by anything else asks for a part of the name', async () => {
    const { client, asked } = network(json({ photos: [], next: null }))
    await client.findPhotos({ name: 'cat', dataset: 'cats', cursor: null, limit: 10 })
    expect(asked[0]?.address).toBe('/below/api/v1/photos?name=cat&dataset=cats&limit=10')
  })
})

describe('the datasets', () => {
  const dataset = (slug: string) => ({ slug, name: slug, photos: 2, bytes: 30, created_at: '2026-11-23T05:00:00Z' })

  it('of several pages become one list with its totals', async () => {
    const { client, asked } = network(json({ datasets: [dataset('a')], next: 'a' }), json({ datasets: [dataset('b')], next: null }))
    const datasets = new Datasets(client)
    await datasets.refresh()
    expect(datasets.all.map(({ slug }) => slug)).toEqual(['a', 'b'])
    expect([datasets.photos, datasets.bytes]).toEqual([4, 60])
    expect(asked.map(({ address }) => address)).toEqual(['/below/api/v1/datasets', '/below/api/v1/datasets?cursor=a'])
  })

  it('stay as they were when a page does not come', async () => {
    const { client } = network(json({ datasets: [dataset('a')], next: null }), json({ datasets: [dataset('b')], next: 'b' }), json({ code: 'role_too_small', title: 'No' }, 403))
    const datasets = new Datasets(client)
    await datasets.refresh()
    await expect(datasets.refresh()).rejects.toMatchObject({ code: 'role_too_small' })
    expect(datasets.all.map(({ slug }) => slug)).toEqual(['a'])
  })
})

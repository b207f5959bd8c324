import { describe, expect, it } from 'vitest'
import { Problem } from '../src/api/problem.ts'
import { Connection } from '../src/state/connection.svelte.ts'

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

describe('the connection', () => {
  it('is lost until the server answers, which is asked ever more seldom', async () => {
    const answers = [false, false, false, false, false, true]
    const pauses: number[] = []
    let back = 0
    const connection = new Connection({
      probe: async () => {
        if (!answers.shift()) throw new Error('no answer')
      },
      sleep: async (ms) => void pauses.push(ms),
      onBack: () => (back += 1),
      onStillThere: () => {},
    })
    const lost = connection.lose()
    expect(connection.isLost).toBe(true)
    await lost
    expect([connection.isLost, back]).toEqual([false, 1])
    expect(pauses).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  })

  it('is lost when a call did not reach the server, not when it answered with an error', async () => {
    let asked = 0
    const connection = new Connection({ probe: async () => void (asked += 1), sleep: async () => {}, onBack: () => {}, onStillThere: () => {} })
    connection.note(new Problem({ code: 'busy' }))
    expect(connection.isLost).toBe(false)
    connection.note(new Problem({ code: 'offline' }))
    connection.note(new Problem({ code: 'offline' }))
    expect(connection.isLost).toBe(true)
    await turn()
    expect([connection.isLost, asked]).toEqual([false, 1])
  })

  it('is there again with any answer of the server', async () => {
    let back = 0
    const connection = new Connection({
      probe: () => Promise.reject(new Error('no answer')),
      sleep: (_, signal) => new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('stopped')))),
      onBack: () => (back += 1),
      onStillThere: () => {},
    })
    connection.answered()
    void connection.lose()
    await turn()
    expect([connection.isLost, back]).toEqual([true, 0])
    connection.answered()
    await turn()
    expect([connection.isLost, back]).toEqual([false, 1])
  })

  /** A connection whose doubts wait until `calm` is called. */
  function doubted(answers: () => boolean) {
    let asked = 0
    let stillThere = 0
    const calming: (() => void)[] = []
    const connection = new Connection({
      probe: async () => {
        asked += 1
        if (!answers()) throw new Error('no answer')
      },
      sleep: () => new Promise((resolve) => calming.push(resolve)),
      onBack: () => {},
      onStillThere: () => void (stillThere += 1),
    })
    const calm = async (): Promise<void> => {
      for (const resolve of calming.splice(0)) resolve()
      await turn()
    }
    return { connection, calm, asked: () => asked, stillThere: () => stillThere }
  }

  it('is looked into once for many pictures that fail at a time, and is not lost when the server answers', async () => {
    const { connection, calm, asked } = doubted(() => true)
    for (let picture = 0; picture < 50; picture += 1) void connection.doubt()
    await turn()
    expect([asked(), connection.isLost]).toEqual([1, false])
    await calm()
    await calm()
    expect(asked()).toBe(2) // for those that failed after it was asked
    void connection.doubt()
    await turn()
    expect(asked()).toBe(3)
  })

  it('tells of a server that is still there when some time has passed, and of none that is not', async () => {
    let isThere = true
    const { connection, calm, stillThere } = doubted(() => isThere)
    void connection.doubt()
    await turn()
    expect(stillThere()).toBe(0)
    await calm()
    expect(stillThere()).toBe(1)
    isThere = false
    void connection.doubt()
    await turn()
    await calm()
    expect([stillThere(), connection.isLost]).toEqual([1, true])
  })

  it('is lost when the server does not answer to a doubt, and no doubt asks meanwhile', async () => {
    let isThere = false
    const { connection, calm, asked } = doubted(() => isThere)
    void connection.doubt()
    await turn()
    expect([asked(), connection.isLost]).toEqual([1, true])
    void connection.doubt()
    await turn()
    expect(asked()).toBe(1)
    isThere = true
    await calm()
    expect([asked(), connection.isLost]).toEqual([2, false])
  })

  it('is tried at once when the device has found a network', async () => {
    const connection = new Connection({
      probe: async () => {},
      sleep: (_, signal) => new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('stopped')))),
      onBack: () => {},
      onStillThere: () => {},
    })
    void connection.lose()
    await turn()
    expect(connection.isLost).toBe(true)
    connection.hurry()
    await turn()
    expect(connection.isLost).toBe(false)
  })
})

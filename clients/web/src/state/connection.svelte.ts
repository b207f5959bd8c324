import type { Problem } from '../api/problem.ts'

export interface ConnectionMeans {
  /** Resolves when the server answers. */
  probe: () => Promise<void>
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  /** Called when the server answers again. */
  onBack: () => void
  /** Called some time after a doubt, when the server was there all the same. */
  onStillThere: () => void
}

const FIRST_PAUSE_MS = 2_000
const LONGEST_PAUSE_MS = 30_000
/** What may be a lost connection or something else is looked into once in so long. */
const DOUBT_PAUSE_MS = 5_000

/** Whether the server can be reached. While it cannot, it is asked now and then, so that the page goes on by itself. */
export class Connection {
  isLost = $state(false)
  /** How often the server has come back: what could not be had is asked for again when this changes. */
  returns = $state(0)
  #pause: AbortController | null = null
  /** Whether the server has answered anything since it was lost. */
  #hasAnswered = false
  #isDoubted = false
  /** Whether there has been another doubt since the server was asked. */
  #isDoubtedAgain = false
  readonly #means: ConnectionMeans

  constructor(means: ConnectionMeans) {
    this.#means = means
  }

  note(problem: Problem): void {
    if (problem.code === 'offline') void this.lose()
  }

  /** Waits until the server answers; called again meanwhile, it does nothing. */
  async lose(): Promise<void> {
    if (this.isLost) return
    this.isLost = true
    this.#hasAnswered = false
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      await this.#rest(pause)
      if (this.#hasAnswered || (await this.#answers())) break
    }
    this.isLost = false
    this.returns += 1
    this.#means.onBack()
  }

  /** Something failed that does not tell why, such as a picture: asks the server whether it is there, once for many of these. */
  async doubt(): Promise<void> {
    if (this.isLost) return
    this.#isDoubtedAgain = true
    if (this.#isDoubted) return
    this.#isDoubted = true
    while (this.#isDoubtedAgain && !this.isLost) {
      this.#isDoubtedAgain = false
      const isThere = await this.#answers()
      if (!isThere) void this.lose()
      await this.#means.sleep(DOUBT_PAUSE_MS)
      if (isThere && !this.isLost) this.#means.onStillThere()
    }
    this.#isDoubted = false
  }

  /** Takes any answer of the server for what it shows: the connection is there. */
  answered(): void {
    this.#hasAnswered = true
    this.hurry()
  }

  /** Asks at once, as the device has found a network. */
  hurry(): void {
    this.#pause?.abort()
  }

  async #rest(ms: number): Promise<void> {
    this.#pause = new AbortController()
    await this.#means.sleep(ms, this.#pause.signal).catch(() => {})
  }

  #answers(): Promise<boolean> {
    return this.#means.probe().then(
      () => true,
      () => false,
    )
  }
}

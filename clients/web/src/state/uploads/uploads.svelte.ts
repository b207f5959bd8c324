// Photos on their way in: taken in without freezing the page, sent some at a time, and sent on after every trouble that passes.

import { asProblem, isAbort, type Problem } from '../../api/problem.ts'
import type { Found, Portions } from '../../platform/drops.ts'
import { Delivery, type DeliveryMeans } from './delivery.ts'
import { isJunk, itemOf, type Item, type Status } from './item.ts'
import { Ledger, NONE, since, type Counts } from './ledger.ts'
import { Meter } from './meter.ts'
import { Pace } from './pace.ts'
import { NOTHING, type Hold, type Progress } from './progress.ts'
import { Queue } from './queue.ts'
import { isLimit, isTooMuch, verdictOn, waitMs } from './verdict.ts'

const TICK_MS = 200
/** Files are taken in for so long before the page gets a breath. */
const SLICE_MS = 8
/** How often a photo is tried whose requests end in errors of the server, and how many of these in a row need a person. */
const MOST_TRIES = 3
const MOST_FAILURES = 6
const RANKS: Record<Hold['why'], number> = { again: 0, key: 1, trouble: 1, paused: 2 }

export interface UploadMeans extends DeliveryMeans {
  /** Lets the page draw and answer. */
  breathe: () => Promise<void>
  /** Called when the server is away, and no file of ours is the reason. */
  onOffline: (problem: Problem) => void
  /** Called when nothing is left to do. */
  onFinished: () => void
}

export class Uploads {
  /** How things stand; replaced a few times a second while there is work. */
  progress: Progress = $state.raw(NOTHING)
  #ledger = new Ledger()
  /** What the ledger held when the present upload began: the files, and their bytes. */
  #before: Counts = NONE
  #bytesBefore = 0
  #pace = new Pace()
  #abort = new AbortController()
  #hold: Hold | null = null
  /** Failures in a row. */
  #failures = 0
  /** Drops and choices that are still being looked through. */
  #intakes = 0
  /** Goes up when everything that is still being looked through is not wanted any more. */
  #era = 0
  #seconds = 0
  #sentBytes = 0
  #tickedAt = 0
  #breathAt = 0
  #clock: ReturnType<typeof setInterval> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #queue = new Queue()
  readonly #deliveries = new Set<Delivery>()
  readonly #speed = new Meter()
  readonly #advance = new Meter()
  readonly #means: UploadMeans

  constructor(means: UploadMeans) {
    this.#means = means
  }

  get isRunning(): boolean {
    return this.progress.isRunning
  }

  /** The files of a status, or all for null. They are no signals: read them again when `progress` has changed. */
  list(status: Exclude<Status, 'waiting'> | null): readonly Item[] {
    return this.#ledger.list(status)
  }

  /** Takes in files for a dataset; the first ones are sent while the rest is still being looked through. */
  async add(portions: Portions, dataset: string): Promise<void> {
    if (!this.#isBusy && this.#ledger.list('failed').length === 0) this.#begin()
    const era = this.#era
    this.#intakes += 1
    this.#startClock()
    this.#publish()
    this.#breathAt = this.#means.now()
    for await (const { files, unreadable } of portions) {
      for (const path of unreadable) this.#ledger.refuse(this.#noted({ file: new File([], path), path }, dataset), 'rejected', { code: 'unreadable' })
      if (era === this.#era) await this.#takeIn(files, dataset, era)
      if (era !== this.#era) break
    }
    this.#intakes -= 1
    this.#next()
    this.#publish()
  }

  /** Stops at once. What is under way is sent again later, unless it has arrived. */
  pause(): void {
    if (!this.#isBusy) return
    this.#holdBack({ why: 'paused' })
    this.#breakOff()
  }

  /** Goes on after a pause or a trouble. */
  resume(): void {
    clearTimeout(this.#timer)
    this.#hold = null
    this.#next()
    this.#publish()
  }

  /** Goes on if it was only a key that was missing. */
  keyEntered(): void {
    if (this.#hold?.why === 'key') this.resume()
  }

  /** Goes on at once if it was only the connection that was missing. */
  serverIsBack(): void {
    if (this.#hold?.why === 'again' && this.#hold.problem.code === 'offline') this.resume()
  }

  /** Stops for good. What was sent is kept; the rest counts as failed, so that it can still be sent. */
  cancel(): void {
    this.#era += 1
    const left = [...[...this.#deliveries].flatMap(({ waiting }) => waiting), ...this.#queue.takeAll()]
    for (const item of left) this.#ledger.refuse(item, 'failed', { code: 'stopped' })
    this.#breakOff()
    this.resume()
  }

  /** Sends again what failed, and nothing else. */
  retry(): void {
    for (const item of this.#ledger.reopen()) this.#queue.push(item)
    this.#startClock()
    this.resume()
  }

  /** Forgets everything; what is under way is broken off. */
  clear(): void {
    this.#era += 1
    this.#breakOff()
    this.#queue.takeAll()
    this.#ledger = new Ledger()
    this.#begin()
  }

  /** Counts anew; what was finished before stays in the list. */
  #begin(): void {
    this.#before = this.#ledger.counts()
    this.#bytesBefore = this.#ledger.settledBytes
    this.#pace = new Pace()
    this.#failures = this.#seconds = this.#sentBytes = 0
    this.resume()
  }

  get #isBusy(): boolean {
    return this.#intakes > 0 || this.#queue.length > 0 || this.#deliveries.size > 0
  }

  /** Sizes are read here, a few at a time: browsers ask the disk for each, which would freeze the page for thousands. */
  async #takeIn(files: readonly Found[], dataset: string, era: number): Promise<void> {
    for (const found of files) {
      if (isJunk(found.file.name)) this.#ledger.junk += 1
      else this.#enqueue(this.#noted(found, dataset))
      if (this.#means.now() - this.#breathAt < SLICE_MS) continue
      this.#next()
      await this.#means.breathe()
      this.#breathAt = this.#means.now()
      if (era !== this.#era) return
    }
    this.#next()
  }

  #noted({ file, path }: Found, dataset: string): Item {
    const item = itemOf(file, path, dataset)
    this.#ledger.add(item)
    return item
  }

  #enqueue(item: Item): void {
    if (item.bytes > 0) this.#queue.push(item)
    else this.#ledger.refuse(item, 'rejected', { code: 'empty' })
  }

  /** Starts as many deliveries as may run now, and notes the end when nothing is left. */
  #next(): void {
    while (this.#hold === null && this.#queue.length > 0 && this.#deliveries.size < this.#pace.requests) void this.#deliver()
    if (!this.#isBusy) this.#finish()
  }

  async #deliver(): Promise<void> {
    const ledger = this.#ledger
    const delivery = new Delivery(this.#queue.take(this.#pace.portion), this.#means, ledger, this.#abort.signal)
    const isFull = this.#queue.length > 0
    const started = this.#means.now()
    this.#deliveries.add(delivery)
    try {
      await delivery.run()
      this.#failures = 0
      this.#pace.succeeded(this.#means.now() - started, isFull)
    } catch (error) {
      if (!isAbort(error)) this.#judge(asProblem(error), delivery)
    }
    this.#deliveries.delete(delivery)
    if (ledger === this.#ledger) {
      this.#sentBytes += delivery.sentBytes
      this.#queue.putBack(delivery.waiting)
    }
    this.#next()
  }

  /** Decides what a broken delivery means for itself and for those after it. */
  #judge(problem: Problem, delivery: Delivery): void {
    const verdict = verdictOn(problem)
    if (verdict === 'key') return this.#holdBack({ why: 'key', problem })
    if (verdict === 'halt') return this.#halt(problem)
    if (problem.code === 'too_many_uploads') this.#pace.limitRequests(this.#deliveries.size - 1)
    if (verdict === 'smaller') this.#divide(problem, delivery.waiting)
    if (isLimit(problem) || this.#hold !== null) return // several requests that break at the same moment are one failure
    this.#failures += 1
    this.#pace.troubled()
    if (verdict === 'smaller' && this.#failures >= MOST_FAILURES) return this.#halt(problem)
    const wait = waitMs(this.#failures, problem.retryAfter)
    this.#holdBack({ why: 'again', problem, at: this.#means.now() + wait })
    this.#timer = setTimeout(() => this.resume(), wait)
    if (problem.code === 'offline') this.#means.onOffline(problem)
  }

  /** Waits for a person, and feels its way after that. */
  #halt(problem: Problem): void {
    if (this.#hold === null) this.#pace.troubled()
    this.#holdBack({ why: 'trouble', problem })
  }

  /** Narrows down which photo of a refused request it was, or how much a request may carry. */
  #divide(problem: Problem, items: readonly Item[]): void {
    const [first] = items
    if (!first) return
    const { limit } = problem.body
    if (problem.code === 'too_many_photos') this.#pace.limit({ files: typeof limit === 'number' ? limit : 1 })
    if (isTooMuch(problem)) this.#pace.limit({ bytes: items.reduce((sum, { bytes }) => sum + bytes, 0) / 2 })
    for (const item of items) item.tries += 1
    if (items.length > 1) return
    if (isTooMuch(problem)) this.#ledger.refuse(first, 'failed', { code: 'too_large' })
    else if (first.tries >= MOST_TRIES) this.#ledger.refuse(first, 'failed', problem.body)
  }

  #holdBack(hold: Hold): void {
    if (this.#hold && RANKS[this.#hold.why] > RANKS[hold.why]) return
    clearTimeout(this.#timer)
    this.#hold = hold
    this.#publish()
  }

  #breakOff(): void {
    this.#abort.abort()
    this.#abort = new AbortController()
  }

  #startClock(): void {
    if (this.#clock !== undefined) return
    this.#tickedAt = this.#means.now()
    this.#clock = setInterval(() => this.#publish(), TICK_MS)
  }

  #finish(): void {
    clearInterval(this.#clock)
    const wasRunning = this.#clock !== undefined
    this.#publish()
    this.#clock = undefined
    if (wasRunning) this.#means.onFinished()
  }

  #publish(): void {
    const now = this.#means.now()
    const deliveries = [...this.#deliveries]
    const sentBytes = this.#sentBytes + deliveries.reduce((sum, delivery) => sum + delivery.sentBytes, 0)
    const settledBytes = this.#ledger.settledBytes - this.#bytesBefore
    const doneBytes = settledBytes + deliveries.reduce((sum, delivery) => sum + delivery.pendingBytes, 0)
    const bytes = this.#ledger.bytes - this.#bytesBefore
    const listed = this.#ledger.counts()
    this.#measure(now, sentBytes, doneBytes)
    const rate = this.#advance.rate
    this.progress = {
      ...since(this.#before, listed),
      listed,
      datasets: [...this.#ledger.datasets],
      junk: this.#ledger.junk,
      bytes,
      isRunning: this.#isBusy,
      isReading: this.#intakes > 0,
      hold: this.#hold,
      retryIn: this.#hold?.why === 'again' ? Math.max(0, (this.#hold.at - now) / 1000) : null,
      doneBytes,
      sentBytes,
      bytesPerSecond: this.#speed.rate,
      secondsLeft: rate ? (bytes - doneBytes) / rate : null,
      seconds: this.#seconds,
    }
  }

  /** Time in which nothing may be sent counts neither as time spent nor for the speed, a wait for the server for the former only. */
  #measure(now: number, sentBytes: number, doneBytes: number): void {
    const isWaiting = this.#hold !== null && this.#hold.why !== 'again'
    if (this.#clock !== undefined && !isWaiting) this.#seconds += (now - this.#tickedAt) / 1000
    this.#tickedAt = now
    for (const [meter, value] of [[this.#speed, sentBytes], [this.#advance, doneBytes]] as const) {
      if (this.#hold === null && this.#isBusy) meter.note(now, value)
      else meter.reset()
    }
  }
}

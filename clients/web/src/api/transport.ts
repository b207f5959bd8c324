// One call to the server: JSON both ways, problems thrown, safe calls tried again.

import { isAbort, offline, problemOf, type Problem } from './problem.ts'

export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Parameters that are undefined, null or empty are left out. */
  query?: Record<string, string | number | null | undefined>
  json?: unknown
  signal?: AbortSignal | undefined
}

export interface Means {
  /** The path that the server stands below, with a slash at its end. */
  root: string
  fetch: (input: string, init: RequestInit) => Promise<Response>
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  /** Called for every problem before it is thrown. */
  onProblem: (problem: Problem) => void
  /** Called for every answer that is the server's own, a problem or not. */
  onAnswer: () => void
}

const TRIES = 4
const FIRST_PAUSE_MS = 400
const LONGEST_PAUSE_MS = 10_000
/** Passing troubles: no connection, a busy server, a proxy without its server. */
const PASSING = new Set(['offline', 'busy', 'too_many_requests', 'storage_unavailable'])

export class Transport {
  readonly #means: Means

  constructor(means: Means) {
    this.#means = means
  }

  /** The address of a path of the server; `path` begins without a slash. */
  address(path: string, query: Call['query'] = {}): string {
    const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '')
    const text = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString()
    return this.#means.root + path + (text && `?${text}`)
  }

  /** Answers with the JSON of the server. Reads are tried four times in passing troubles, all else once. */
  async call<T>(path: string, call: Call = {}): Promise<T> {
    const tries = (call.method ?? 'GET') === 'GET' ? TRIES : 1
    for (let attempt = 1; ; attempt += 1) {
      try {
        const result = await this.#once<T>(path, call)
        this.answered()
        return result
      } catch (error) {
        const problem = error as Problem
        if (!isAbort(error) && problem.code !== 'offline') this.answered()
        if (isAbort(error) || attempt >= tries || !PASSING.has(problem.code)) throw this.told(error)
        await this.#means.sleep(pauseMs(attempt, problem.retryAfter), call.signal)
      }
    }
  }

  /** Resolves when a path answers well, rejects when not; asked once, and nobody is told. */
  async probe(path: string): Promise<void> {
    const { ok } = await this.#means.fetch(this.address(path), { cache: 'no-store' })
    if (!ok) throw offline()
  }

  /** Whether the server would answer, its answer being dropped. Throws the Problem that it answers with. */
  async check(path: string, call: Call): Promise<void> {
    try {
      const answer = await this.#fetch(path, call)
      if (!answer.ok) throw problemOf(answer.status, await answer.text().catch(asOffline), answer.headers.get('Retry-After'))
      await answer.body?.cancel()
    } catch (error) {
      throw this.told(error)
    }
  }

  /** Tells the whole page of a problem, before it is thrown. */
  told(error: unknown): unknown {
    if (!isAbort(error)) this.#means.onProblem(error as Problem)
    return error
  }

  /** Tells the whole page that the server has answered. */
  answered(): void {
    this.#means.onAnswer()
  }

  async #once<T>(path: string, call: Call): Promise<T> {
    const answer = await this.#fetch(path, call)
    const text = await answer.text().catch(asOffline)
    if (!answer.ok) throw problemOf(answer.status, text, answer.headers.get('Retry-After'))
    return parsed<T>(answer.status, text)
  }

  #fetch(path: string, { method = 'GET', query, json, signal }: Call): Promise<Response> {
    const init: RequestInit = { method, credentials: 'same-origin', signal: signal ?? null }
    if (json !== undefined) {
      init.headers = { 'Content-Type': 'application/json' }
      init.body = JSON.stringify(json)
    }
    return this.#means.fetch(this.address(path, query), init).catch(asOffline)
  }
}

/** Milliseconds before the try after `attempt`: what the server asks for, else twice as long each time. */
export function pauseMs(attempt: number, retryAfter: number | null): number {
  const wish = retryAfter === null ? FIRST_PAUSE_MS * 2 ** (attempt - 1) : retryAfter * 1000
  return Math.min(wish, LONGEST_PAUSE_MS)
}

function asOffline(error: unknown): never {
  throw isAbort(error) ? error : offline()
}

function parsed<T>(status: number, text: string): T {
  if (status === 204) return undefined as T
  try {
    return JSON.parse(text) as T
  } catch {
    throw offline()
  }
}

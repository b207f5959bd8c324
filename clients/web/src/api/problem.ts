import type { ProblemBody } from './types.ts'

/** Everything that a call to the server can end in, other than its answer. `code` decides, never the text. */
export class Problem extends Error {
  readonly code: string
  readonly body: ProblemBody
  /** Seconds that the server asks to wait, from Retry-After or the problem itself; null when it does not say. */
  readonly retryAfter: number | null

  constructor(body: ProblemBody, retryAfter: number | null = null) {
    super(body.detail ?? body.title ?? body.code)
    this.name = 'Problem'
    this.code = body.code
    this.body = body
    this.retryAfter = retryAfter ?? (typeof body.retry_after === 'number' ? body.retry_after : null)
  }

  get status(): number {
    return this.body.status ?? 0
  }
}

/** The server was not reached, or something that is not Albumen answered. */
export const offline = (): Problem => new Problem({ code: 'offline' })

/** The problem that an answer with an error status carries. */
export function problemOf(status: number, text: string, retryAfter: string | null): Problem {
  const seconds = retryAfter === null ? NaN : Number(retryAfter)
  return new Problem({ ...bodyOf(text), status }, Number.isFinite(seconds) ? seconds : null)
}

/** Any thrown value as a problem, so that it can be told to a person. */
export const asProblem = (error: unknown): Problem =>
  error instanceof Problem ? error : new Problem({ code: 'internal', detail: String(error) })

export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError'

function bodyOf(text: string): ProblemBody {
  try {
    const body = JSON.parse(text) as unknown
    if (typeof body === 'object' && body !== null && 'code' in body) return body as ProblemBody
  } catch {
    // A proxy answers with pages of its own.
  }
  return { code: 'offline' }
}

// Photos on the wire. XMLHttpRequest, because fetch does not tell how many bytes have left.

import { Lines } from './lines.ts'
import { offline, Problem, problemOf } from './problem.ts'
import type { Outcome, ProblemBody } from './types.ts'

export interface UploadOptions {
  dataset: string
  signal: AbortSignal
  /** Called with the share of the request that has left so far, 0 to 1. */
  onProgress: (share: number) => void
  /** Called for every photo as soon as the server has decided on it; `index` is the place of its file. */
  onOutcome: (outcome: Outcome) => void
}

/** A connection on which nothing has moved for so long is given up. */
const STALLED_MS = 90_000

/**
 * Sends files in one request, in their order. Ends when every file has its outcome; throws the Problem that broke the
 * request off before that, and AbortError after `signal`. Outcomes that were told before the break hold.
 */
export function sendFiles(address: string, files: readonly File[], options: UploadOptions): Promise<void> {
  const form = new FormData()
  form.append('dataset', options.dataset)
  for (const file of files) form.append('file', file, file.name)
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const answer = new Answer(options.onOutcome)
    const abort = (): void => request.abort()
    let stall = setTimeout(abort, STALLED_MS)
    const moved = (): void => {
      clearTimeout(stall)
      stall = setTimeout(abort, STALLED_MS)
    }
    request.open('POST', address)
    request.setRequestHeader('Accept', 'application/x-ndjson')
    request.upload.onprogress = ({ loaded, total }) => {
      moved()
      options.onProgress(total > 0 ? loaded / total : 0)
    }
    request.onprogress = () => {
      moved()
      if (request.status === 200) answer.read(request.responseText)
    }
    request.onloadend = () => {
      clearTimeout(stall)
      options.signal.removeEventListener('abort', abort)
      const problem = problemAtEnd(request, answer, files.length)
      if (options.signal.aborted) reject(new DOMException('The upload was stopped.', 'AbortError'))
      else if (problem) reject(problem)
      else resolve()
    }
    options.signal.addEventListener('abort', abort)
    if (options.signal.aborted) request.onloadend(new ProgressEvent('loadend'))
    else request.send(form)
  })
}

function problemAtEnd(request: XMLHttpRequest, answer: Answer, expected: number): Problem | null {
  if (request.status === 0) return offline()
  if (request.status !== 200) return problemOf(request.status, request.responseText, request.getResponseHeader('Retry-After'))
  answer.read(request.responseText)
  return answer.problem ?? (answer.count < expected ? offline() : null)
}

/** An answer line by line: outcomes, and at most one problem at its end. */
export class Answer {
  problem: Problem | null = null
  /** Outcomes so far. */
  count = 0
  readonly #lines = new Lines()
  readonly #onOutcome: (outcome: Outcome) => void

  constructor(onOutcome: (outcome: Outcome) => void) {
    this.#onOutcome = onOutcome
  }

  /** Takes the whole text as far as it has come. What is not Albumen's is a problem, too. */
  read(text: string): void {
    for (const line of this.#lines.whole(text)) {
      const entry = parsed(line)
      if (entry === null) this.problem = offline()
      else if ('status' in entry) this.#take(entry)
      else this.problem = new Problem(entry.problem)
    }
  }

  #take(outcome: Outcome): void {
    this.count += 1
    this.#onOutcome(outcome)
  }
}

function parsed(line: string): Outcome | { problem: ProblemBody } | null {
  try {
    const entry = JSON.parse(line) as unknown
    return typeof entry === 'object' && entry !== null && ('status' in entry || 'problem' in entry) ? (entry as Outcome) : null
  } catch {
    return null
  }
}

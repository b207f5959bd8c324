// Photos on the wire. XMLHttpRequest, because fetch does not tell how many bytes have left.

import { offline, problemOf, type Problem } from './problem.ts'
import type { UploadReport } from './types.ts'

export interface UploadOptions {
  dataset: string
  signal?: AbortSignal
  /** Called with the bytes of the request that have left so far, of its whole length. */
  onProgress?: (sent: number, length: number) => void
}

/** The outcome of a request: every photo that the server took a decision on, and what broke it off, if anything did. */
export interface UploadAnswer extends UploadReport {
  problem: Problem | null
}

/**
 * Sends files in one request. `photos` of the answer has one entry per file, in their order; fewer when the request broke off.
 * Throws a Problem when nothing is known of any file, and AbortError after `signal`.
 */
export async function sendFiles(address: string, files: readonly File[], options: UploadOptions): Promise<UploadAnswer> {
  const form = new FormData()
  form.append('dataset', options.dataset)
  for (const file of files) form.append('file', file, file.name)
  const { status, text, retryAfter } = await post(address, form, options)
  if (status === 200 || status === 201) return { ...(JSON.parse(text) as UploadReport), problem: null }
  return partOf(problemOf(status, text, retryAfter))
}

/** An error that lists the photos before the break is an answer; any other is thrown. */
export function partOf(problem: Problem): UploadAnswer {
  const report = problem.body as unknown as UploadReport
  if (!Array.isArray(report.photos)) throw problem
  const { dataset, created, duplicate, rejected, photos } = report
  return { dataset, created, duplicate, rejected, photos, problem: problem.code === 'all_rejected' ? null : problem }
}

interface Answer {
  status: number
  text: string
  retryAfter: string | null
}

function post(address: string, form: FormData, { signal, onProgress }: UploadOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const abort = (): void => request.abort()
    request.open('POST', address)
    request.onload = () =>
      resolve({ status: request.status, text: request.responseText, retryAfter: request.getResponseHeader('Retry-After') })
    request.onerror = () => reject(offline())
    request.onabort = () => reject(new DOMException('The upload was stopped.', 'AbortError'))
    request.onloadend = () => signal?.removeEventListener('abort', abort)
    if (onProgress) request.upload.onprogress = ({ loaded, total }) => onProgress(loaded, total)
    if (signal?.aborted) return request.onabort(new ProgressEvent('abort'))
    signal?.addEventListener('abort', abort)
    request.send(form)
  })
}

// Digests of files, away from the thread that draws. Answers every { id, file } with { id, digest }, or with { id } alone
// when the file cannot be read any more.

import { Sha256 } from './sha256.ts'

const WHOLE_BYTES = 32 * 1024 * 1024 // the browser's own digest wants a file in memory; larger ones come in chunks
const CHUNK_BYTES = 4 * 1024 * 1024

interface Question {
  id: number
  file: File
}

/** Files are read by so many at a time: enough to keep the processor busy, few enough for the memory of a phone. */
const turns = Array.from({ length: 4 }, () => Promise.resolve())

onmessage = ({ data: { id, file } }: MessageEvent<Question>) => {
  const turn = turns.shift()!
  turns.push(turn.then(async () => postMessage({ id, digest: await digestOf(file).catch(() => undefined) })))
}

async function digestOf(file: File): Promise<string> {
  if (!('subtle' in crypto) || file.size > WHOLE_BYTES) return digestInChunks(file)
  return hex(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()))
}

async function digestInChunks(file: File): Promise<string> {
  const sum = new Sha256()
  for (let at = 0; at < file.size; at += CHUNK_BYTES) {
    sum.update(new Uint8Array(await file.slice(at, at + CHUNK_BYTES).arrayBuffer()))
  }
  return sum.hex()
}

const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')

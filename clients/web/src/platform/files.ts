// Files of this device: their digests, and whether they can still be read.

interface Answer {
  id: number
  digest?: string
}

interface Wait {
  resolve: (digest: string | null) => void
  reject: (reason: Error) => void
}

const waits = new Map<number, Wait>()
let worker: Worker | null = null
let last = 0

/**
 * The SHA-256 of a file in hex, found in a worker; null where no worker runs. Rejects when the file cannot be read any
 * more, because it was moved, changed or deleted.
 */
export function digestOf(file: File): Promise<string | null> {
  worker ??= started()
  const asked = worker
  return new Promise((resolve, reject) => {
    waits.set((last += 1), { resolve, reject })
    asked.postMessage({ id: last, file })
  })
}

/** Whether a file is still as it was when the page got it. */
export const isReadable = (file: File): Promise<boolean> =>
  file.slice(0, 1).arrayBuffer().then(
    () => true,
    () => false,
  )

function started(): Worker {
  const made = new Worker(new URL('./hash.worker.ts', import.meta.url), { type: 'module' })
  made.onmessage = ({ data: { id, digest } }: MessageEvent<Answer>) => {
    const wait = waits.get(id)
    waits.delete(id)
    if (digest === undefined) wait?.reject(new Error('The file cannot be read.'))
    else wait?.resolve(digest)
  }
  made.onerror = () => {
    worker = null
    waits.forEach(({ resolve }) => resolve(null))
    waits.clear()
  }
  return made
}

import type { ProblemBody } from '../../api/types.ts'

/** `failed` is what can be sent again: the server has not decided on it. `rejected` is the server's last word. */
export type Status = 'waiting' | 'created' | 'duplicate' | 'rejected' | 'failed'

/** One file on its way in. Not reactive: there may be 100,000 of them. */
export interface Item {
  readonly file: File
  /** Where it lay, with the folders that were handed over. */
  readonly path: string
  readonly dataset: string
  readonly bytes: number
  status: Status
  /** SHA-256 in hex; null while it is not known, or where it cannot be found out. */
  digest: string | null
  /** Whether a request with its bytes broke off, so that the server may have it without our knowing. */
  isInDoubt: boolean
  /** How often a request with it ended in an error of the server itself. */
  tries: number
  id: string | null
  link: string | null
  /** Why it was rejected, or why it failed. */
  problem: ProblemBody | null
}

/** Reads the size of the file, which browsers ask the disk for. */
export const itemOf = (file: File, path: string, dataset: string): Item => ({
  file, path, dataset, bytes: file.size, status: 'waiting', digest: null, isInDoubt: false, tries: 0, id: null, link: null, problem: null,
})

const JUNK = /^(\.ds_store|thumbs\.db|desktop\.ini|\.nomedia|\._.*)$/i

/** Whether a file is what systems leave in folders of photos: no person means to upload it. */
export const isJunk = (name: string): boolean => JUNK.test(name)

// What a person hands to the page: files and folders that are dropped or pasted, and the choice of a file dialog.

/** A file and where it lies, with the folders that were handed over: `holiday/day 1/IMG_1.jpg`. */
export interface Found {
  file: File
  path: string
}

/** Some of the files, and the paths of what the device does not let the page read. */
export interface Portion {
  files: Found[]
  unreadable: string[]
}

export type Portions = Iterable<Portion> | AsyncIterable<Portion>

/** What a file dialog offers: photos, among them kinds that some systems do not know as such. */
export const ACCEPTED = 'image/*,.heic,.heif,.avif,.tif,.tiff'
/** Files that are asked for at a time. Browsers hand over all of them in one go, with a call to another process for each. */
const AT_ONCE = 16

/** The files of a file dialog. */
export function chosen(files: Iterable<File>): Portions {
  return inPortions([...files]) // a copy, for the dialog's own list is emptied
}

function* inPortions(files: readonly File[]): Generator<Portion> {
  for (let at = 0; at < files.length; at += AT_ONCE) {
    const some = files.slice(at, at + AT_ONCE)
    yield { files: some.map((file) => ({ file, path: file.webkitRelativePath || file.name })), unreadable: [] }
  }
}

/** All files of a drop or a paste. Must be called in the event itself: the browser empties the transfer after it. */
export function handedOver(transfer: DataTransfer): Portions {
  const items = Array.from(transfer.items).filter(({ kind }) => kind === 'file')
  const entries = items.map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  if (entries.length < items.length) return chosen(Array.from(transfer.files, named)) // what comes from programs is in no file system
  return portionsOf(entries)
}

/** Pictures from a clipboard are all called image.png; this one tells when it came. */
function named(file: File): File {
  const type = /^image\.(\w+)$/.exec(file.name)?.[1]
  if (!type) return file
  const moment = new Date().toISOString().slice(0, 19).replace('T', ' ').replaceAll(':', '.')
  return new File([file], `${moment}.${type}`, { type: file.type })
}

async function* portionsOf(entries: FileSystemEntry[]): AsyncGenerator<Portion> {
  const folders = entries.filter(isFolder)
  yield* opened(entries)
  for (let folder = folders.shift(); folder; folder = folders.shift()) {
    const reader = folder.createReader()
    const inside: FileSystemDirectoryEntry[] = []
    for (;;) {
      const found = await read(reader).catch(() => null)
      if (found === null) yield { files: [], unreadable: [pathOf(folder)] }
      if (!found?.length) break
      inside.push(...found.filter(isFolder))
      yield* opened(found)
    }
    folders.unshift(...inside)
  }
}

const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory

const pathOf = (entry: FileSystemEntry): string => entry.fullPath.replace(/^\//, '')

/** Browsers hand out the entries of a folder in portions, Chromium 100 or 1,000, and none at the end. */
const read = (reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> =>
  new Promise((resolve, reject) => reader.readEntries(resolve, reject))

async function* opened(entries: FileSystemEntry[]): AsyncGenerator<Portion> {
  const files = entries.filter((entry): entry is FileSystemFileEntry => entry.isFile)
  for (let at = 0; at < files.length; at += AT_ONCE) yield await openedAtOnce(files.slice(at, at + AT_ONCE))
}

async function openedAtOnce(files: FileSystemFileEntry[]): Promise<Portion> {
  const portion: Portion = { files: [], unreadable: [] }
  const results = await Promise.allSettled(files.map((entry) => new Promise<File>((resolve, reject) => entry.file(resolve, reject))))
  results.forEach((result, index) => {
    const path = pathOf(files[index]!)
    if (result.status === 'fulfilled') portion.files.push({ file: result.value, path })
    else portion.unreadable.push(path)
  })
  return portion
}

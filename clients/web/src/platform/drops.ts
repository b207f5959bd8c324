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

/** The files of a file dialog. */
export function chosen(files: Iterable<File>): Portion[] {
  return [{ files: Array.from(files, (file) => ({ file, path: file.webkitRelativePath || file.name })), unreadable: [] }]
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
  yield await opened(entries)
  for (let folder = folders.shift(); folder; folder = folders.shift()) {
    const reader = folder.createReader()
    const inside: FileSystemDirectoryEntry[] = []
    for (;;) {
      const found = await read(reader).catch(() => null)
      if (found === null) yield { files: [], unreadable: [pathOf(folder)] }
      if (!found?.length) break
      inside.push(...found.filter(isFolder))
      yield await opened(found)
    }
    folders.unshift(...inside)
  }
}

const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory

const pathOf = (entry: FileSystemEntry): string => entry.fullPath.replace(/^\//, '')

/** Browsers hand out the entries of a folder in portions of about 100, and none at the end. */
const read = (reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> =>
  new Promise((resolve, reject) => reader.readEntries(resolve, reject))

async function opened(entries: FileSystemEntry[]): Promise<Portion> {
  const portion: Portion = { files: [], unreadable: [] }
  const files = entries.filter((entry): entry is FileSystemFileEntry => entry.isFile)
  const results = await Promise.allSettled(files.map((entry) => new Promise<File>((resolve, reject) => entry.file(resolve, reject))))
  results.forEach((result, index) => {
    const path = pathOf(files[index]!)
    if (result.status === 'fulfilled') portion.files.push({ file: result.value, path })
    else portion.unreadable.push(path)
  })
  return portion
}

// What a person drops on the page: files, and folders with everything inside.

export interface Dropped {
  files: File[]
  /** Names of what the device does not let the page read. */
  unreadable: string[]
}

const TOLD_EVERY = 100

/** All files of a drop. Must be called in the event itself: the browser empties the transfer after it. */
export async function filesOf(transfer: DataTransfer, onFound: (count: number) => void = () => {}): Promise<Dropped> {
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  if (entries.length === 0) return { files: [...transfer.files], unreadable: [] }
  const dropped: Dropped = { files: [], unreadable: [] }
  for (let entry = entries.pop(); entry; entry = entries.pop()) {
    try {
      if (isFolder(entry)) entries.push(...(await entriesOf(entry)))
      else dropped.files.push(await fileOf(entry as FileSystemFileEntry))
    } catch {
      dropped.unreadable.push(entry.name)
    }
    if (dropped.files.length % TOLD_EVERY === 0) onFound(dropped.files.length)
  }
  return dropped
}

const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory

const fileOf = (entry: FileSystemFileEntry): Promise<File> => new Promise((resolve, reject) => entry.file(resolve, reject))

/** Browsers hand out the entries of a folder in portions of 100. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    const portion = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (portion.length === 0) return all
    all.push(...portion)
  }
}

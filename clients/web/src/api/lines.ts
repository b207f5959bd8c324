/** Takes a text apart into its lines while it grows. */
export class Lines {
  #at = 0

  /** The lines of the text that have become whole since the last call. */
  whole(text: string): string[] {
    const end = text.lastIndexOf('\n') + 1
    const lines = text.slice(this.#at, Math.max(end, this.#at)).split('\n')
    this.#at = Math.max(end, this.#at)
    return lines.filter((line) => line !== '')
  }
}

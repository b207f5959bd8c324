/** Copies text; tells whether it worked. Pages over plain HTTP have no clipboard, so the old command stands in. */
export async function copyText(text: string): Promise<boolean> {
  if (!navigator.clipboard) return copyOldWay(text)
  return navigator.clipboard.writeText(text).then(
    () => true,
    () => copyOldWay(text),
  )
}

function copyOldWay(text: string): boolean {
  const focused = document.activeElement as HTMLElement | null
  const field = document.createElement('textarea')
  field.value = text
  field.className = 'unseen'
  const place = focused?.closest('dialog') ?? document.body // what is outside a modal dialog takes no focus
  place.append(field)
  field.select()
  const copied = document.execCommand('copy')
  field.remove()
  focused?.focus()
  return copied
}

/** Lets the browser save what a form with ids is answered with: a form, because only that needs no memory for the file. */
export function saveArchive(address: string, ids: readonly string[]): void {
  const form = document.createElement('form')
  const field = document.createElement('input')
  form.method = 'post'
  form.action = address
  field.type = 'hidden'
  field.name = 'ids'
  field.value = ids.join(',')
  form.append(field)
  document.body.append(form)
  form.submit()
  form.remove()
}

/** Lets the browser save what an address answers with. */
export function saveFile(address: string, name: string): void {
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
}

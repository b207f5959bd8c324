const LONG_MS = 450
const STILL_PX = 12

/** An attachment for presses of a finger that last: each calls back with what lies under it, and is no click. */
export const pressedLong = (onLong: (target: Element) => void) => (element: HTMLElement) => {
  let timer: ReturnType<typeof setTimeout> | undefined
  let start = { x: 0, y: 0 }
  let isTaken = false

  const begin = (event: PointerEvent): void => {
    isTaken = false
    if (event.pointerType !== 'touch' || !event.isPrimary) return
    start = { x: event.clientX, y: event.clientY }
    timer = setTimeout(() => {
      isTaken = true
      onLong(event.target as Element)
    }, LONG_MS)
  }
  const moved = (event: PointerEvent): void => {
    if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > STILL_PX) clearTimeout(timer)
  }
  const end = (): void => clearTimeout(timer)
  const noMenu = (event: Event): void => {
    if (isTaken) event.preventDefault()
  }
  const noClick = (event: Event): void => {
    if (!isTaken) return
    isTaken = false
    event.preventDefault()
    event.stopPropagation()
  }

  const listeners = { pointerdown: begin, pointermove: moved, pointerup: end, pointercancel: end, contextmenu: noMenu }
  for (const [name, listener] of Object.entries(listeners)) element.addEventListener(name, listener as EventListener)
  element.addEventListener('click', noClick, { capture: true })
  return () => {
    clearTimeout(timer)
    for (const [name, listener] of Object.entries(listeners)) element.removeEventListener(name, listener as EventListener)
    element.removeEventListener('click', noClick, { capture: true })
  }
}

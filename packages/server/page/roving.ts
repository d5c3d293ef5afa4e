const keys: ReadonlyMap<string, number> = new Map([
  ['ArrowDown', 1],
  ['ArrowUp', -1],
  ['PageDown', 10],
  ['PageUp', -10],
  ['Home', Number.NEGATIVE_INFINITY],
  ['End', Number.POSITIVE_INFINITY],
])

/**
 * One of the links or buttons marked `data-rove` is reached by the tab key; arrow keys, Home and
 * End go from it to the others.
 */
export function roveWithin(parent: HTMLElement): void {
  parent.addEventListener('keydown', (event) => {
    const step = keys.get(event.key)
    const all = [...parent.querySelectorAll<HTMLElement>('[data-rove]')]
    const at = all.indexOf(event.target as HTMLElement)
    if (step === undefined || at < 0) return
    event.preventDefault()
    const next = all[Math.min(all.length - 1, Math.max(0, at + step))]
    next?.focus()
  })
  parent.addEventListener('focusin', (event) => {
    const focused = event.target as HTMLElement
    if (focused.dataset['rove'] === undefined) return
    for (const each of parent.querySelectorAll<HTMLElement>('[data-rove]')) each.tabIndex = -1
    focused.tabIndex = 0
  })
}

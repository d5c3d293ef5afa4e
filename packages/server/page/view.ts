import type { SessionAnswer } from '../src/ui/answers.js'
import { ApiError } from './api.ts'
import { element } from './dom.ts'

/** What every part of the page is given. */
export interface PageContext {
  session(): SessionAnswer
  /** Shows something anew, at once. */
  refresh(): void
}

/** A part of the page, as long as it is shown. */
export interface View {
  readonly title: string
  readonly element: HTMLElement
  /** Asks and shows. Rejects with ApiError. */
  refresh(signal: AbortSignal): Promise<void>
  /** How often, in ms. */
  readonly everyMs: number
  /** Ends what it has open. */
  close?(): void
}

/** The frame of a view: its heading, what can be done, and a place for what went wrong. */
export function viewFrame(
  heading: string,
  actions: readonly HTMLElement[],
  ...content: readonly HTMLElement[]
): HTMLElement {
  const head = element('div', { class: 'head' }, element('h1', { tabindex: -1 }, heading))
  if (actions.length > 0) head.append(element('div', { class: 'actions' }, ...actions))
  const problem = element('p', { class: 'problem', role: 'alert', 'data-problem': true })
  problem.hidden = true
  return element('section', { class: 'view' }, head, problem, ...content)
}

/** Says what went wrong in a view, or that nothing is wrong any more. */
export function showProblem(view: HTMLElement, error: unknown): void {
  const problem = view.querySelector<HTMLElement>('[data-problem]')
  if (problem === null) return
  const text = error === null ? '' : messageOf(error)
  problem.hidden = text === ''
  if (problem.textContent !== text) problem.textContent = text
}

export function messageOf(error: unknown): string {
  if (error instanceof ApiError && error.status === 401) return 'Sign in: load the page anew.'
  return error instanceof Error ? error.message : String(error)
}

/** A field that narrows what is shown; `/` goes to it. */
export function searchField(label: string, changed: (text: string) => void): HTMLInputElement {
  const input = element('input', {
    type: 'search',
    class: 'search',
    placeholder: `${label}  ( / )`,
    'aria-label': label,
    'data-search': true,
    autocomplete: 'off',
    spellcheck: 'false',
  })
  let waiting = 0
  input.addEventListener('input', () => {
    clearTimeout(waiting)
    waiting = setTimeout(() => changed(input.value), 200)
  })
  return input
}

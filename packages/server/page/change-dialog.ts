import { change } from './api.ts'
import { announce, button, element } from './dom.ts'
import { messageOf, type PageContext } from './view.ts'

/** What is asked before something is changed. */
export interface ChangeQuestion {
  readonly title: string
  /** What will happen, in words. */
  readonly text: string
  readonly action: string
  /** Labels and controls; what is in them is sent under their names. */
  readonly controls?: readonly HTMLElement[]
  /** Has to be typed before a change that takes something away. */
  readonly confirm?: string
  readonly fields: () => Readonly<Record<string, unknown>>
  readonly done?: () => void
}

/** Asks, and changes it when that is confirmed. */
export function askAndChange(page: PageContext, question: ChangeQuestion): void {
  const { title, text, action, controls = [], confirm } = question
  const typed = element('input', { type: 'text', autocomplete: 'off', spellcheck: 'false' })
  const problem = element('p', { class: 'problem', role: 'alert' })
  problem.hidden = true
  const dialog = element('dialog', { class: 'dialog', 'aria-labelledby': 'dialog-title' })
  const submit = element('button', { type: 'submit', class: 'primary' }, title)
  if (confirm !== undefined) submit.classList.add('danger')
  const isConfirmed = (): boolean => confirm === undefined || typed.value === confirm
  submit.disabled = !isConfirmed()
  typed.addEventListener('input', () => {
    submit.disabled = !isConfirmed()
  })
  const asked =
    confirm === undefined
      ? null
      : element(
          'label',
          { class: 'field' },
          element('span', {}, `Type ${confirm} to confirm`),
          typed,
        )
  const form = element(
    'form',
    {},
    element('h2', { id: 'dialog-title' }, title),
    element('p', {}, text),
    ...controls,
    asked,
    problem,
    element(
      'div',
      { class: 'actions' },
      button('Cancel', () => dialog.close()),
      submit,
    ),
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    if (!isConfirmed()) return
    submit.disabled = true
    const fields = { ...question.fields(), ...(confirm !== undefined && { confirm }) }
    change(action, fields, page.session().token ?? '').then(
      (done) => {
        dialog.close()
        announce(done)
        page.refresh()
        question.done?.()
      },
      (error: unknown) => {
        submit.disabled = false
        problem.hidden = false
        problem.textContent = messageOf(error)
      },
    )
  })
  dialog.append(form)
  dialog.addEventListener('close', () => dialog.remove())
  document.body.append(dialog)
  dialog.showModal()
}

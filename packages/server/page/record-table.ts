import type { BytesAnswer, RecordAnswer } from '../src/ui/answers.js'
import { preview } from './byte-text.ts'
import { button, element } from './dom.ts'
import { count, time } from './format.ts'
import { recordDetail } from './record-detail.ts'
import { roveWithin } from './roving.ts'

const titles = [
  ['Offset', 'number'],
  ['Partition', 'number wide'],
  ['Time', 'mono'],
  ['Key', 'mono key'],
  ['Value', 'mono value'],
  ['Headers', 'number wide'],
] as const

/** Records, one a row; each opens below itself. */
export class RecordTable {
  readonly element: HTMLElement
  readonly #topic: string
  readonly #body = element('tbody')
  readonly #shown = new Set<string>()
  readonly #empty = element('p', { class: 'empty' }, 'No records.')

  constructor(topic: string) {
    this.#topic = topic
    const head = element('tr')
    for (const [title, kind] of titles) {
      head.append(element('th', { scope: 'col', class: kind.replace('mono', '') }, title))
    }
    const table = element(
      'table',
      { class: 'records' },
      element('caption', { class: 'unseen' }, 'Records'),
      element('thead', {}, head),
      this.#body,
    )
    this.element = element('div', { class: 'table' }, table, this.#empty)
    roveWithin(this.#body)
  }

  replace(records: readonly RecordAnswer[]): void {
    this.#shown.clear()
    this.#body.replaceChildren(...this.#rows(records))
    this.#changed()
  }

  append(records: readonly RecordAnswer[]): void {
    this.#body.append(...this.#rows(records))
    this.#changed()
  }

  /** Puts records before the others, of which only so many stay. */
  prepend(records: readonly RecordAnswer[], rowsMax: number): void {
    this.#body.prepend(...this.#rows(records, 'fresh'))
    while (this.#body.children.length > rowsMax) this.#body.lastElementChild?.remove()
    if (this.#shown.size > 20 * rowsMax) this.#shown.clear()
    this.#changed()
  }

  /** Of those records that are not shown already. */
  #rows(records: readonly RecordAnswer[], className = ''): readonly HTMLElement[] {
    const fresh = records.filter((record) => !this.#shown.has(keyOf(record)))
    for (const record of fresh) this.#shown.add(keyOf(record))
    return fresh.map((record) => this.#row(record, className))
  }

  #changed(): void {
    this.#empty.hidden = this.#body.children.length > 0
    const handles = this.#body.querySelectorAll<HTMLElement>('[data-rove]')
    const isReachable = this.#body.querySelector('[data-rove][tabindex="0"]') !== null
    if (!isReachable && handles[0] !== undefined) handles[0].tabIndex = 0
  }

  #row(record: RecordAnswer, className: string): HTMLElement {
    const { partition, offset, timestamp, key, value, headers, headersLeftOut } = record
    const row = element('tr', { class: className })
    let detail: HTMLElement | null = null
    const open = button(
      count(offset),
      () => {
        if (detail === null) {
          const cell = element('td', { colspan: titles.length }, recordDetail(this.#topic, record))
          detail = element('tr', { class: 'detail-row' }, cell)
          row.after(detail)
        } else {
          detail.remove()
          detail = null
        }
        open.setAttribute('aria-expanded', String(detail !== null))
      },
      { class: 'link', 'aria-expanded': 'false', tabindex: -1, 'data-rove': '' },
    )
    row.addEventListener('click', (event) => {
      const isElsewhere = (event.target as Element).closest('button, a') === null
      if (isElsewhere && getSelection()?.isCollapsed !== false) open.click()
    })
    const cells: readonly (Node | string)[] = [
      open,
      count(partition),
      timeCell(timestamp),
      shown(key),
      shown(value),
      count(headers.length + headersLeftOut),
    ]
    row.append(
      ...cells.map((cell, index) => element('td', { class: titles[index]?.[1] ?? '' }, cell)),
    )
    return row
  }
}

function keyOf({ partition, offset }: RecordAnswer): string {
  return `${partition} ${offset}`
}

/** A narrow screen shows the clock alone. */
function timeCell(timestamp: number): Node {
  const text = time(timestamp)
  const [day = '', clock] = text.split(' ')
  if (clock === undefined) return document.createTextNode(text)
  return element('span', { title: text }, element('span', { class: 'wide' }, `${day} `), clock)
}

function shown(answer: BytesAnswer | null): Node {
  const isSpecial = answer === null || answer.size === 0
  const kind = isSpecial ? 'quiet' : answer.text === undefined ? 'hex' : ''
  return element('bdi', { class: kind }, preview(answer))
}

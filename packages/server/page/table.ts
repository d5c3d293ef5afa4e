import { element, fill } from './dom.ts'
import { roveWithin } from './roving.ts'

/** A cell that is more than a text: made anew only when its key is another. */
export interface Cell {
  readonly key: string
  readonly make: () => Node
}

export interface Column<Row> {
  readonly title: string
  /** `number` to the right; `wide` for those that a narrow screen does without. */
  readonly kind?: string
  readonly show: (row: Row) => string | Cell
  /** What rows are put in order by; none where they are not. */
  readonly by?: (row: Row) => string | number
}

/** A cell with a link or a button, by which the keyboard goes from row to row. */
export function handle(key: string, make: () => HTMLElement): Cell {
  return {
    key,
    make: () => {
      const made = make()
      made.dataset['rove'] = ''
      return made
    },
  }
}

/**
 * A table that is brought up to date in place, so that whoever is in it stays where they are. Arrow
 * keys go from row to row; titles of columns that can be sorted by are buttons.
 */
export class Table<Row> {
  readonly element: HTMLElement
  readonly #columns: readonly Column<Row>[]
  readonly #keyOf: (row: Row) => string
  readonly #body = element('tbody')
  readonly #empty: HTMLElement
  readonly #headers: HTMLElement[] = []
  readonly #made = new Map<string, HTMLTableRowElement>()
  #rows: readonly Row[] = []
  #sorted: { index: number; isDown: boolean } | null = null

  constructor(
    caption: string,
    columns: readonly Column<Row>[],
    keyOf: (row: Row) => string,
    empty: string,
  ) {
    this.#columns = columns
    this.#keyOf = keyOf
    this.#empty = element('p', { class: 'empty' }, empty)
    this.#empty.hidden = true
    const head = element('tr')
    for (const [index, column] of columns.entries()) head.append(this.#header(column, index))
    const table = element(
      'table',
      {},
      element('caption', { class: 'unseen' }, caption),
      element('thead', {}, head),
      this.#body,
    )
    this.element = element('div', { class: 'table' }, table, this.#empty)
    roveWithin(this.#body)
  }

  /** The text below the titles where there are no rows. */
  set empty(text: string) {
    this.#empty.textContent = text
  }

  update(rows: readonly Row[]): void {
    this.#rows = rows
    this.#show()
  }

  #show(): void {
    const rows = this.#inOrder()
    const keys = new Set(rows.map(this.#keyOf))
    for (const [key, made] of this.#made) {
      if (keys.has(key)) continue
      made.remove()
      this.#made.delete(key)
    }
    let before = this.#body.firstElementChild
    for (const row of rows) {
      const made = this.#row(row)
      if (made === before) before = made.nextElementSibling
      else this.#body.insertBefore(made, before)
    }
    this.#empty.hidden = rows.length > 0
    const handles = this.#body.querySelectorAll<HTMLElement>('[data-rove]')
    if (this.#body.querySelector('[data-rove][tabindex="0"]') === null) {
      handles.forEach((each, index) => {
        each.tabIndex = index === 0 ? 0 : -1
      })
    }
  }

  #row(row: Row): HTMLTableRowElement {
    const key = this.#keyOf(row)
    let made = this.#made.get(key)
    if (made === undefined) {
      made = element('tr')
      made.append(...this.#columns.map(({ kind = '' }) => element('td', { class: kind })))
      this.#made.set(key, made)
    }
    for (const [index, { show }] of this.#columns.entries()) {
      const cell = made.children[index] as HTMLElement
      const shown = show(row)
      const cellKey = typeof shown === 'string' ? shown : shown.key
      if (cell.dataset['key'] === cellKey) continue
      cell.dataset['key'] = cellKey
      if (typeof shown === 'string') cell.textContent = shown
      else fill(cell, newCell(shown))
    }
    return made
  }

  #inOrder(): readonly Row[] {
    const sorted = this.#sorted
    const by = sorted === null ? undefined : this.#columns[sorted.index]?.by
    if (sorted === null || by === undefined) return this.#rows
    const sign = sorted.isDown ? -1 : 1
    return this.#rows.toSorted((one, other) => {
      const [left, right] = [by(one), by(other)]
      return left < right ? -sign : left > right ? sign : 0
    })
  }

  #header({ title, kind = '', by }: Column<Row>, index: number): HTMLElement {
    const header = element('th', { scope: 'col', class: kind.replace('mono', '') })
    this.#headers.push(header)
    if (by === undefined) {
      header.textContent = title
      return header
    }
    const sort = element('button', { type: 'button', class: 'sort' }, title)
    sort.addEventListener('click', () => {
      const isSame = this.#sorted?.index === index
      // Names rise first, numbers fall.
      const isDown = isSame ? this.#sorted?.isDown !== true : kind.includes('number')
      this.#sorted = { index, isDown }
      for (const each of this.#headers) each.removeAttribute('aria-sort')
      header.setAttribute('aria-sort', isDown ? 'descending' : 'ascending')
      this.#show()
    })
    header.append(sort)
    return header
  }
}

function newCell(cell: Cell): Node {
  const made = cell.make()
  if (made instanceof HTMLElement && made.dataset['rove'] !== undefined) made.tabIndex = -1
  return made
}

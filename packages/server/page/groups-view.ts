import type { GroupRow, GroupsAnswer } from '../src/ui/answers.js'
import { apiPath, ask } from './api.ts'
import { element } from './dom.ts'
import { count, counted } from './format.ts'
import { groupLink } from './page-route.ts'
import { type Column, handle, Table } from './table.ts'
import { type PageContext, searchField, type View, viewFrame } from './view.ts'

/** What is shown of each group in a table. */
export const groupColumns: readonly Column<GroupRow>[] = [
  {
    title: 'Group',
    show: ({ group }) => handle(group, () => element('a', { href: groupLink(group) }, group)),
    by: ({ group }) => group,
  },
  { title: 'State', show: ({ state }) => stateCell(state), by: ({ state }) => state },
  {
    ...{ title: 'Members', kind: 'number' },
    show: ({ members }) => count(members),
    by: ({ members }) => members,
  },
  {
    ...{ title: 'Topics', kind: 'number wide' },
    show: ({ topics }) => count(topics),
    by: ({ topics }) => topics,
  },
  {
    ...{ title: 'Lag', kind: 'number' },
    show: ({ lag }) => (lag === null ? '–' : count(lag)),
    by: ({ lag }) => lag ?? -1,
  },
]

function stateCell(state: string): { key: string; make: () => HTMLElement } {
  const kind = state === 'Stable' ? 'good' : state === 'Empty' ? 'quiet' : 'warn'
  return { key: state, make: () => element('span', { class: `state ${kind}` }, state) }
}

/** All consumer groups. */
export class GroupsView implements View {
  readonly title = 'Groups'
  readonly everyMs = 3000
  readonly element: HTMLElement
  readonly #summary = element('p', { class: 'summary' })
  readonly #table: Table<GroupRow>
  #search = ''

  constructor(page: PageContext) {
    this.#table = new Table('Consumer groups', groupColumns, ({ group }) => group, '')
    const search = searchField('Search groups', (text) => {
      this.#search = text
      page.refresh()
    })
    const tools = element('div', { class: 'tools' }, search, this.#summary)
    this.element = viewFrame('Consumer groups', [], tools, this.#table.element)
  }

  async refresh(signal: AbortSignal): Promise<void> {
    const path = apiPath(['groups'], { search: this.#search })
    const { groups, leftOut } = await ask<GroupsAnswer>(path, signal)
    this.#table.empty =
      this.#search === ''
        ? 'No group has committed anything yet.'
        : 'No group has that in its name.'
    this.#table.update(groups)
    const more = leftOut > 0 ? `; ${count(leftOut)} more: search for them` : ''
    this.#summary.textContent = `${counted(groups.length, 'group')}${more}`
  }
}

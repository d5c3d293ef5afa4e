import type { GroupAnswer, GroupOffsetAnswer, MemberAnswer } from '../src/ui/answers.js'
import { apiPath, ask } from './api.ts'
import { askAndChange } from './change-dialog.ts'
import { button, element, facts, field, fill, select } from './dom.ts'
import { count, counted, ranges, visible } from './format.ts'
import { partitionLink } from './page-route.ts'
import { handle, Table } from './table.ts'
import { type PageContext, type View, viewFrame } from './view.ts'

/** With the member that reads the partition, if one does. */
interface OffsetRow extends GroupOffsetAnswer {
  readonly reader: MemberAnswer | null
}

/** A group: who is in it, and how far it has come. */
export class GroupView implements View {
  readonly title: string
  readonly everyMs = 2000
  readonly element: HTMLElement
  readonly #group: string
  readonly #facts = element('div')
  readonly #members: Table<MemberAnswer>
  readonly #offsets: Table<OffsetRow>
  #answer: GroupAnswer | null = null

  constructor(page: PageContext, group: string) {
    this.title = `Group ${group}`
    this.#group = group
    this.#members = new Table('Members', memberColumns, (row) => row.memberId, 'It has no members.')
    this.#offsets = new Table(
      ...(['Committed offsets', offsetColumns] as const),
      ({ topic, partition }) => `${topic} ${partition}`,
      'It has committed nothing.',
    )
    const actions = page.session().writes
      ? [
          button('Reset offsets', () => resetOffsets(page, group, this.#answer)),
          button('Delete group', () => deleteGroup(page, group), { class: 'danger' }),
        ]
      : []
    this.element = viewFrame(
      ...([group, actions, this.#facts] as const),
      element('h2', {}, 'Committed offsets'),
      this.#offsets.element,
      element('h2', {}, 'Members'),
      this.#members.element,
    )
  }

  async refresh(signal: AbortSignal): Promise<void> {
    const answer = await ask<GroupAnswer>(apiPath(['groups', this.#group]), signal)
    this.#answer = answer
    const { state, protocolType, protocol, generation, members, offsets } = answer
    const lag = offsets.reduce((sum, each) => sum + (each.lag ?? 0), 0)
    fill(
      this.#facts,
      facts([
        ['State', state],
        ['Lag', offsets.length === 0 ? '–' : count(lag)],
        ['Members', count(members.length)],
        ['Generation', count(generation)],
        ['Protocol', protocolType === '' ? '–' : `${protocolType}, ${protocol ?? 'none'}`],
      ]),
    )
    this.#members.update(members)
    const readers = readersOf(members)
    this.#offsets.update(
      offsets.map((row) => {
        return { ...row, reader: readers.get(`${row.topic} ${row.partition}`) ?? null }
      }),
    )
  }
}

function readersOf(members: readonly MemberAnswer[]): ReadonlyMap<string, MemberAnswer> {
  const readers = new Map<string, MemberAnswer>()
  for (const member of members) {
    for (const { topic, partitions } of member.assigned ?? []) {
      for (const partition of partitions) readers.set(`${topic} ${partition}`, member)
    }
  }
  return readers
}

/** `orders 0–3, 7; clicks 1`: of very many the number, and those that have room. */
function assignedText({ assigned }: MemberAnswer): string {
  if (assigned === null) return 'being shared out'
  if (assigned.length === 0) return 'none'
  const texts = assigned.map(({ topic, partitions }) => `${topic} ${ranges(partitions)}`)
  const text = visible(texts.join('; '))
  if (text.length <= assignedCharsMax) return text
  const all = assigned.reduce((sum, { partitions }) => sum + partitions.length, 0)
  return `${counted(all, 'partition')}: ${text.slice(0, assignedCharsMax)}…`
}

const assignedCharsMax = 200

/** Where there is no room for the member's own name it is still told. */
function clientCell(clientId: string, memberId: string): HTMLElement {
  return element('span', { title: visible(memberId) }, visible(clientId))
}

const memberColumns = [
  { title: 'Member', kind: 'mono wide', show: ({ memberId }: MemberAnswer) => visible(memberId) },
  {
    title: 'Client',
    show: ({ clientId, memberId }: MemberAnswer) => {
      return { key: clientId, make: () => clientCell(clientId, memberId) }
    },
  },
  { title: 'Host', kind: 'mono wide', show: ({ clientHost }: MemberAnswer) => visible(clientHost) },
  { title: 'Reads', show: (row: MemberAnswer) => assignedText(row) },
  {
    ...{ title: 'Static name', kind: 'wide' },
    show: ({ groupInstanceId }: MemberAnswer) => visible(groupInstanceId ?? '–'),
  },
]

const offsetColumns = [
  {
    title: 'Partition',
    show: ({ topic, partition }: GroupOffsetAnswer) => {
      const name = `${topic}-${partition}`
      return handle(name, () => element('a', { href: partitionLink(topic, partition) }, name))
    },
    by: ({ topic, partition }: GroupOffsetAnswer) =>
      `${topic} ${String(partition).padStart(9, '0')}`,
  },
  {
    ...{ title: 'Committed', kind: 'number' },
    show: ({ committedOffset }: GroupOffsetAnswer) => count(committedOffset),
  },
  {
    ...{ title: 'High watermark', kind: 'number wide' },
    show: ({ highWatermark }: GroupOffsetAnswer) =>
      highWatermark === null ? 'gone' : count(highWatermark),
  },
  {
    ...{ title: 'Lag', kind: 'number' },
    show: ({ lag }: GroupOffsetAnswer) => (lag === null ? '–' : count(lag)),
    by: ({ lag }: GroupOffsetAnswer) => lag ?? -1,
  },
  {
    ...{ title: 'Progress', kind: 'meter wide' },
    show: (row: GroupOffsetAnswer) => progressCell(row),
  },
  {
    ...{ title: 'Read by', kind: 'wide' },
    show: ({ reader }: OffsetRow) => visible(reader?.clientId ?? '–'),
    by: ({ reader }: OffsetRow) => reader?.clientId ?? '',
  },
  {
    ...{ title: 'Metadata', kind: 'wide' },
    show: ({ metadata }: GroupOffsetAnswer) => visible(metadata),
  },
]

/** How much of what there is has been committed. */
function progressCell(row: GroupOffsetAnswer): { key: string; make: () => Node } {
  const { committedOffset, logStartOffset, highWatermark } = row
  if (logStartOffset === null || highWatermark === null) {
    return { key: 'none', make: () => document.createTextNode('–') }
  }
  const all = Math.max(1, highWatermark - logStartOffset)
  const done = Math.min(1, Math.max(0, (committedOffset - logStartOffset) / all))
  const value = highWatermark === logStartOffset ? 1 : done
  const percent = `${Math.floor(value * 100)} %`
  return {
    key: String(Math.round(value * 1000)),
    make: () => element('meter', { min: 0, max: 1, value, 'aria-label': percent, title: percent }),
  }
}

function resetOffsets(page: PageContext, group: string, answer: GroupAnswer | null): void {
  const topics = [...new Set(answer?.offsets.map(({ topic }) => topic) ?? [])]
  const topic = select(topics.map((name) => [name, name] as const))
  const partition = element('input', { type: 'number', min: 0, placeholder: 'all of them' })
  const to = select([
    ['earliest', 'the first record'],
    ['latest', 'the end'],
    ['offset', 'an offset'],
    ['time', 'a time'],
  ])
  const offset = element('input', { type: 'number', min: 0, value: 0 })
  const moment = element('input', { type: 'datetime-local', step: 1 })
  const [offsetField, momentField] = [field('Offset', offset), field('Time', moment)]
  const adapt = (): void => {
    offsetField.hidden = to.value !== 'offset'
    momentField.hidden = to.value !== 'time'
  }
  to.addEventListener('change', adapt)
  adapt()
  const members = answer?.members.length ?? 0
  askAndChange(page, {
    ...{ title: 'Reset offsets', action: 'reset-offsets', confirm: group },
    text:
      members > 0
        ? `It has ${counted(members, 'member')}: stop them first, they would commit over it.`
        : 'The group goes on from there when its members come back.',
    controls: [
      ...[field('Topic', topic), field('Partition', partition), field('To', to)],
      ...[offsetField, momentField],
    ],
    fields: () => ({
      ...{ group, topic: topic.value, to: to.value },
      partition: partition.value === '' ? null : Number(partition.value),
      at: to.value === 'time' ? new Date(moment.value).getTime() : Number(offset.value),
    }),
  })
}

function deleteGroup(page: PageContext, group: string): void {
  askAndChange(page, {
    ...{ title: 'Delete group', action: 'delete-group', confirm: group },
    text: 'It is forgotten with all that it has committed.',
    fields: () => ({ group }),
    done: () => {
      location.hash = '#/groups'
    },
  })
}

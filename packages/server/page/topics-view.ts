import type { TopicRow, TopicsAnswer } from '../src/ui/answers.js'
import { apiPath, ask } from './api.ts'
import { askAndChange } from './change-dialog.ts'
import { button, element, field, select } from './dom.ts'
import { bytes, count, counted, duration, limit, roughly } from './format.ts'
import { topicLink } from './page-route.ts'
import { handle, Table } from './table.ts'
import { type PageContext, searchField, type View, viewFrame } from './view.ts'

type ShownTopic = TopicRow & { readonly rate: number | null }

/** All topics. */
export class TopicsView implements View {
  readonly title = 'Topics'
  readonly everyMs = 2000
  readonly element: HTMLElement
  readonly #summary = element('p', { class: 'summary' })
  readonly #table: Table<ShownTopic>
  readonly #internal = element('input', { type: 'checkbox' })
  /** What each topic had been given, and when that was known. */
  #before = new Map<string, number>()
  #beforeMs = 0
  #search = ''

  constructor(page: PageContext) {
    this.#table = new Table('Topics', columns, ({ name }) => name, 'There are no topics yet.')
    const search = searchField('Search topics', (text) => {
      this.#search = text
      page.refresh()
    })
    this.#internal.addEventListener('change', () => page.refresh())
    const internal = element('label', { class: 'check' }, this.#internal, 'internal topics')
    const actions = page.session().writes ? [button('Create topic', () => createTopic(page))] : []
    const tools = element('div', { class: 'tools' }, search, internal, this.#summary)
    this.element = viewFrame('Topics', actions, tools, this.#table.element)
  }

  async refresh(signal: AbortSignal): Promise<void> {
    const path = apiPath(['topics'], { search: this.#search })
    const { topics, leftOut } = await ask<TopicsAnswer>(path, signal)
    const shown = topics.filter(({ isInternal }) => this.#internal.checked || !isInternal)
    this.#table.empty =
      this.#search === '' ? 'There are no topics yet.' : 'No topic has that in its name.'
    this.#table.update(this.#withRates(shown))
    const size = bytes(shown.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))
    const more = leftOut > 0 ? `; ${count(leftOut)} more: search for them` : ''
    this.#summary.textContent = `${counted(shown.length, 'topic')}, ${size}${more}`
  }

  #withRates(topics: readonly TopicRow[]): readonly ShownTopic[] {
    const nowMs = performance.now()
    const seconds = (nowMs - this.#beforeMs) / 1000
    const rows = topics.map((topic) => {
      const before = this.#before.get(topic.name)
      const isKnown = before !== undefined && seconds > 0.5 && seconds < 60
      return { ...topic, rate: isKnown ? Math.max(0, (topic.produced - before) / seconds) : null }
    })
    this.#before = new Map(topics.map(({ name, produced }) => [name, produced]))
    this.#beforeMs = nowMs
    return rows
  }
}

const columns = [
  {
    title: 'Topic',
    show: ({ name, isInternal }: ShownTopic) =>
      handle(name, () =>
        element('a', { href: topicLink(name), class: isInternal ? 'quiet' : '' }, name),
      ),
    by: ({ name }: ShownTopic) => name,
  },
  {
    ...{ title: 'Partitions', kind: 'number' },
    show: ({ partitions, offline }: ShownTopic) =>
      offline === 0
        ? count(partitions)
        : {
            key: `${offline} of ${partitions}`,
            make: () => element('span', { class: 'bad' }, `${offline} of ${partitions} offline`),
          },
    by: ({ partitions }: ShownTopic) => partitions,
  },
  {
    ...{ title: 'Records', kind: 'number' },
    show: ({ records }: ShownTopic) => count(records),
    by: ({ records }: ShownTopic) => records,
  },
  {
    ...{ title: 'New / s', kind: 'number wide' },
    show: ({ rate }: ShownTopic) => (rate === null ? '–' : rate === 0 ? '0' : roughly(rate)),
    by: ({ rate }: ShownTopic) => rate ?? 0,
  },
  {
    ...{ title: 'Size', kind: 'number' },
    show: ({ sizeBytes }: ShownTopic) => bytes(sizeBytes),
    by: ({ sizeBytes }: ShownTopic) => sizeBytes,
  },
  {
    ...{ title: 'Segments', kind: 'number wide' },
    show: ({ segments }: ShownTopic) => count(segments),
    by: ({ segments }: ShownTopic) => segments,
  },
  {
    ...{ title: 'Kept', kind: 'wide' },
    show: ({ cleanupPolicy, retentionMs, retentionBytes }: ShownTopic) => {
      const kept = limit(retentionMs, duration)
      const size = retentionBytes < 0 ? '' : `, ${bytes(retentionBytes)} a partition`
      const isDeleted = cleanupPolicy.includes('delete')
      const parts = cleanupPolicy.includes('compact') ? ['newest of each key'] : []
      return [...parts, ...(isDeleted ? [`${kept}${size}`] : [])].join(', ')
    },
  },
]

function createTopic(page: PageContext): void {
  const name = element('input', { type: 'text', required: true, autocomplete: 'off' })
  const partitions = element('input', { type: 'number', min: 1, max: 10_000, value: 1 })
  const policy = select([
    ['delete', 'delete: old records go'],
    ['compact', 'compact: the newest of each key stays'],
    ['compact,delete', 'both'],
  ])
  askAndChange(page, {
    ...{ title: 'Create topic', action: 'create-topic' },
    text: 'Other settings are the defaults; `varve topic` changes them.',
    controls: [
      field('Name', name),
      field('Partitions', partitions),
      field('What becomes of old records', policy),
    ],
    fields: () => ({
      topic: name.value,
      partitions: Number(partitions.value),
      cleanupPolicy: policy.value,
    }),
    done: () => {
      location.hash = topicLink(name.value)
    },
  })
}

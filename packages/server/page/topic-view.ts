import type { GroupsAnswer, PartitionAnswer, TopicAnswer } from '../src/ui/answers.js'
import { apiPath, ask } from './api.ts'
import { askAndChange } from './change-dialog.ts'
import { button, element, fill, select } from './dom.ts'
import { bytes, count, counted } from './format.ts'
import { groupColumns } from './groups-view.ts'
import { partitionLink, type TopicTab, topicLink, topicTabs } from './page-route.ts'
import { RecordsPanel } from './records-panel.ts'
import { roveWithin } from './roving.ts'
import { drawingLegend, segmentDrawing } from './segment-drawing.ts'
import { type Axis, domainOf } from './segment-scale.ts'
import { Table } from './table.ts'
import { type PageContext, type View, viewFrame } from './view.ts'

/** A topic: its partitions, records, groups and settings, one at a time. */
export class TopicView implements View {
  readonly title: string
  readonly everyMs: number
  readonly element: HTMLElement
  readonly #topic: string
  readonly #panel: TopicPanel

  constructor(page: PageContext, topic: string, tab: TopicTab) {
    this.title = `${topic}: ${tab}`
    this.#topic = topic
    this.#panel = panelOf(page, topic, tab)
    this.everyMs = tab === 'records' ? 3_600_000 : 3000
    const tabs = element('nav', { class: 'tabs', 'aria-label': 'Parts of the topic' })
    for (const each of topicTabs) {
      const current = each === tab ? 'page' : null
      const text = each[0]?.toUpperCase() + each.slice(1)
      tabs.append(element('a', { href: topicLink(topic, each), 'aria-current': current }, text))
    }
    const actions = page.session().writes
      ? [
          button('Delete records', () => deleteRecords(page, topic)),
          button('Delete topic', () => deleteTopic(page, topic), { class: 'danger' }),
        ]
      : []
    this.element = viewFrame(topic, actions, tabs, this.#panel.element)
  }

  async refresh(signal: AbortSignal): Promise<void> {
    await this.#panel.refresh(this.#topic, signal)
  }

  close(): void {
    this.#panel.close?.()
  }
}

interface TopicPanel {
  readonly element: HTMLElement
  refresh(topic: string, signal: AbortSignal): Promise<void>
  close?(): void
}

function panelOf(page: PageContext, topic: string, tab: TopicTab): TopicPanel {
  if (tab === 'partitions') return new PartitionsPanel(page)
  if (tab === 'records') return new RecordsPanel(topic)
  return tab === 'groups' ? new TopicGroupsPanel() : new SettingsPanel()
}

const pageSize = 25

/** The partitions, each with its segments drawn. */
class PartitionsPanel implements TopicPanel {
  readonly element: HTMLElement
  readonly #summary = element('p', { class: 'summary' })
  readonly #list = element('ol', { class: 'partitions' })
  readonly #legend = element('div')
  readonly #pages = element('div', { class: 'tools' })
  readonly #axis: HTMLSelectElement
  #from = 0
  #shown = ''

  constructor(page: PageContext) {
    this.#axis = select([
      ['offset', 'along offsets'],
      ['time', 'along time'],
    ])
    this.#axis.setAttribute('aria-label', 'Segments are drawn')
    this.#axis.addEventListener('change', () => page.refresh())
    const earlier = button('Earlier', () => this.#turn(page, -pageSize))
    const later = button('Later', () => this.#turn(page, pageSize))
    this.#pages.append(earlier, later)
    this.element = element('div', {})
    const tools = element('div', { class: 'tools' }, this.#axis, this.#summary, this.#legend)
    this.element.append(tools, this.#list, this.#pages)
    roveWithin(this.#list)
  }

  async refresh(topic: string, signal: AbortSignal): Promise<void> {
    const path = apiPath(['topics', topic], { from: this.#from, limit: pageSize })
    const answer = await ask<TopicAnswer>(path, signal)
    const { partitions, partitionCount } = answer
    const size = bytes(partitions.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))
    const shown = partitions.length < partitionCount ? ` (from ${this.#from} on shown)` : ''
    this.#summary.textContent = `${counted(partitionCount, 'partition')}${shown}, ${size}`
    this.#pages.hidden = partitionCount <= pageSize
    this.#draw(topic, partitions)
  }

  #draw(topic: string, partitions: readonly PartitionAnswer[]): void {
    const axis = this.#axis.value as Axis
    const drawn = JSON.stringify([axis, partitions])
    if (drawn === this.#shown) return
    this.#shown = drawn
    const focused = this.#list.querySelector(':focus')?.getAttribute('href') ?? null
    // Along time they share one axis, so that they can be compared.
    const domain = axis === 'time' ? domainOf(partitions, axis) : undefined
    fill(this.#list, ...partitions.map((each) => partitionItem(topic, each, axis, domain)))
    fill(this.#legend, drawingLegend(partitions.some(({ compactedTo }) => compactedTo !== null)))
    const links = [...this.#list.querySelectorAll<HTMLElement>('[data-rove]')]
    const current = links.find((link) => link.getAttribute('href') === focused) ?? links[0]
    if (current !== undefined) current.tabIndex = 0
    if (focused !== null) current?.focus()
  }

  #turn(page: PageContext, by: number): void {
    this.#from = Math.max(0, this.#from + by)
    page.refresh()
  }
}

function partitionItem(
  topic: string,
  partition: PartitionAnswer,
  axis: Axis,
  domain: ReturnType<typeof domainOf> | undefined,
): HTMLElement {
  const { logStartOffset, highWatermark, sizeBytes, segmentCount, error } = partition
  const link = element('a', { href: partitionLink(topic, partition.partition), tabindex: -1 })
  link.dataset['rove'] = ''
  link.append(`Partition ${partition.partition}`)
  const range = `${count(logStartOffset)} – ${count(highWatermark)}`
  return element(
    'li',
    {},
    element(
      'div',
      { class: 'partition' },
      link,
      element('span', { class: 'mono' }, range),
      element(
        'span',
        { class: 'quiet' },
        `${bytes(sizeBytes)}, ${counted(segmentCount, 'segment')}`,
      ),
      error === null ? null : element('span', { class: 'bad' }, error),
    ),
    segmentDrawing(partition, axis, domain),
  )
}

/** Groups that have committed something of the topic. */
class TopicGroupsPanel implements TopicPanel {
  readonly element: HTMLElement
  readonly #table = new Table(
    ...(['Groups of the topic', groupColumns] as const),
    ({ group }) => group,
    'No group has committed an offset of this topic.',
  )

  constructor() {
    this.element = this.#table.element
  }

  async refresh(topic: string, signal: AbortSignal): Promise<void> {
    const { groups } = await ask<GroupsAnswer>(apiPath(['groups'], { topic }), signal)
    this.#table.update(groups)
  }
}

/** The settings, those of its own first. */
class SettingsPanel implements TopicPanel {
  readonly element: HTMLElement
  readonly #table = new Table<TopicAnswer['settings'][number]>(
    'Settings',
    [
      { title: 'Setting', show: ({ name }) => name, by: ({ name }) => name },
      { title: 'Value', kind: 'mono', show: ({ value }) => (value === '' ? '–' : value) },
      { title: 'From', show: ({ isDefault }) => (isDefault ? 'default' : 'the topic') },
    ],
    ({ name }) => name,
    'There are no settings.',
  )

  constructor() {
    this.element = this.#table.element
  }

  async refresh(topic: string, signal: AbortSignal): Promise<void> {
    const { settings } = await ask<TopicAnswer>(apiPath(['topics', topic], { limit: 1 }), signal)
    this.#table.update(
      settings.toSorted((one, other) => Number(one.isDefault) - Number(other.isDefault)),
    )
  }
}

function deleteTopic(page: PageContext, topic: string): void {
  askAndChange(page, {
    ...{ title: 'Delete topic', action: 'delete-topic', confirm: topic },
    text: `All records of ${topic} go, for good, and what groups have committed of it.`,
    fields: () => ({ topic }),
    done: () => {
      location.hash = '#/topics'
    },
  })
}

function deleteRecords(page: PageContext, topic: string): void {
  const partition = element('input', { type: 'number', min: 0, value: 0 })
  const before = element('input', { type: 'number', min: 0, placeholder: 'all of them' })
  askAndChange(page, {
    ...{ title: 'Delete records', action: 'delete-records', confirm: topic },
    text: 'Records of a partition before an offset go, for good.',
    controls: [
      element('label', { class: 'field' }, element('span', {}, 'Partition'), partition),
      element('label', { class: 'field' }, element('span', {}, 'Before offset'), before),
    ],
    fields: () => ({
      topic,
      partition: Number(partition.value),
      before: before.value === '' ? null : Number(before.value),
    }),
  })
}

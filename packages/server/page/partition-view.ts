import type { PartitionAnswer, SegmentAnswer, TopicAnswer } from '../src/ui/answers.js'
import { apiPath, ask } from './api.ts'
import { button, element, facts, fill } from './dom.ts'
import { bytes, count, duration, time } from './format.ts'
import { topicLink } from './page-route.ts'
import { drawingLegend, segmentDrawing } from './segment-drawing.ts'
import { domainOf } from './segment-scale.ts'
import { handle, Table } from './table.ts'
import { type View, viewFrame } from './view.ts'

/** One partition: its segments along both axes, and each of them in a table. */
export class PartitionView implements View {
  readonly title: string
  readonly everyMs = 3000
  readonly element: HTMLElement
  readonly #topic: string
  readonly #partition: number
  readonly #facts = element('div')
  readonly #drawings = element('div', { class: 'drawings' })
  readonly #table: Table<SegmentAnswer>
  #drawn = ''
  #chosen: number | null = null

  constructor(topic: string, partition: number) {
    this.title = `${topic}, partition ${partition}`
    this.#topic = topic
    this.#partition = partition
    this.#table = new Table('Segments', this.#columns(), keyOf, 'There are no segments.')
    const up = element('p', { class: 'up' }, element('a', { href: topicLink(topic) }, `← ${topic}`))
    this.element = viewFrame(
      `${topic}, partition ${partition}`,
      [],
      up,
      this.#facts,
      this.#drawings,
      element('h2', {}, 'Segments'),
      this.#table.element,
    )
    this.#drawings.addEventListener('click', (event) => {
      const base = (event.target as Element).getAttribute('data-base')
      if (base !== null) this.#choose(Number(base))
    })
  }

  async refresh(signal: AbortSignal): Promise<void> {
    const query = { from: this.#partition, limit: 1, segments: 400 }
    const answer = await ask<TopicAnswer>(apiPath(['topics', this.#topic], query), signal)
    const [partition] = answer.partitions
    if (partition === undefined) throw new Error(`There is no partition ${this.#partition}.`)
    fill(this.#facts, factsOf(partition))
    const drawn = JSON.stringify(partition)
    if (drawn === this.#drawn) return
    this.#drawn = drawn
    this.#draw(partition)
    this.#table.update(partition.segments.toReversed())
  }

  #draw(partition: PartitionAnswer): void {
    const span = domainOf([partition], 'time')
    const over = span === null ? '' : ` (${duration(span.to - span.from)})`
    fill(
      this.#drawings,
      element('h2', {}, 'Along offsets'),
      segmentDrawing(partition, 'offset'),
      element('h2', {}, `Along time${over}`),
      segmentDrawing(partition, 'time'),
      drawingLegend(partition.compactedTo !== null),
    )
    this.#choose(this.#chosen)
  }

  /** Shows one segment in both drawings. */
  #choose(baseOffset: number | null): void {
    this.#chosen = baseOffset
    for (const bar of this.#drawings.querySelectorAll('.bar')) {
      bar.classList.toggle('chosen', bar.getAttribute('data-base') === String(baseOffset))
    }
    for (const each of this.#table.element.querySelectorAll('[data-segment]')) {
      const isChosen = each.getAttribute('data-segment') === String(baseOffset)
      each.setAttribute('aria-pressed', String(isChosen))
    }
  }

  #columns(): ConstructorParameters<typeof Table<SegmentAnswer>>[1] {
    return [
      {
        ...{ title: 'First offset', kind: 'number' },
        show: ({ baseOffset }) =>
          handle(String(baseOffset), () =>
            button(count(baseOffset), () => this.#choose(baseOffset), {
              ...{ class: 'link', 'aria-pressed': 'false', 'data-segment': baseOffset },
            }),
          ),
        by: ({ baseOffset }) => baseOffset,
      },
      {
        ...{ title: 'Last offset', kind: 'number' },
        show: ({ baseOffset, nextOffset }) =>
          nextOffset > baseOffset ? count(nextOffset - 1) : '–',
      },
      {
        ...{ title: 'Size', kind: 'number' },
        show: ({ sizeBytes }) => bytes(sizeBytes),
        by: ({ sizeBytes }) => sizeBytes,
      },
      { title: 'From', kind: 'mono wide', show: ({ firstTimestamp }) => time(firstTimestamp) },
      { title: 'To', kind: 'mono', show: ({ maxTimestamp }) => time(maxTimestamp) },
      { title: 'State', show: ({ isActive }) => (isActive ? 'active' : 'sealed') },
    ]
  }
}

function keyOf({ baseOffset }: SegmentAnswer): string {
  return String(baseOffset)
}

function factsOf(partition: PartitionAnswer): HTMLElement {
  const { logStartOffset, highWatermark, lastStableOffset, logEndOffset } = partition
  const { flushedOffset, recoveryPoint, compactedTo, sizeBytes, segmentCount, error } = partition
  return facts([
    ['State', error === null ? 'open' : element('span', { class: 'bad' }, error)],
    ['Log start', count(logStartOffset)],
    ['Compacted to', compactedTo === null ? null : count(compactedTo)],
    ['Recovery point', count(recoveryPoint)],
    ['Flushed to', count(flushedOffset)],
    ['Stable to', count(lastStableOffset)],
    ['High watermark', count(highWatermark)],
    ['Log end', count(logEndOffset)],
    ['Size', bytes(sizeBytes)],
    ['Segments', count(segmentCount)],
    ['Leader epoch', count(partition.leaderEpoch)],
  ])
}

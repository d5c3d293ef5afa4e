import type { RecordAnswer, RecordsAnswer, TailAnswer, TopicAnswer } from '../src/ui/answers.js'
import { apiPath, ask } from './api.ts'
import { announce, button, element, field, fill, select } from './dom.ts'
import { bytes, count, counted } from './format.ts'
import { LiveTail } from './live-tail.ts'
import { RecordTable } from './record-table.ts'
import { messageOf, searchField } from './view.ts'

/** So many are kept while they come in; older ones go from the page. */
const liveRowsMax = 500
/** While it is searched, so much is read before somebody has to ask for more. */
const searchBytesMax = 512 * 2 ** 20

/** Records of a topic: looked through, searched, and watched as they come in. */
export class RecordsPanel {
  readonly element: HTMLElement
  readonly #topic: string
  readonly #table: RecordTable
  readonly #status = element('p', { class: 'summary', role: 'status' })
  readonly #partition = select([['', 'all']])
  readonly #start = select([
    ['latest', 'newest first'],
    ['earliest', 'from the start'],
    ['offset', 'from an offset'],
    ['time', 'from a time'],
  ])
  readonly #offset = element('input', { type: 'number', min: 0, value: 0 })
  readonly #time = element('input', { type: 'datetime-local', step: 1 })
  readonly #key = element('input', { type: 'text', autocomplete: 'off', spellcheck: 'false' })
  readonly #contains: HTMLInputElement
  readonly #committed = element('input', { type: 'checkbox' })
  readonly #more = button('Older', () => void this.#load(true))
  readonly #live: HTMLElement
  readonly #tail: LiveTail
  #next: string | null = null
  #asking: AbortController | null = null

  constructor(topic: string) {
    this.#topic = topic
    this.#table = new RecordTable(topic)
    this.#contains = searchField('Search in keys and values', () => void this.#load(false))
    this.#live = button('Live', () => this.#toggleLive(), {
      class: 'live',
      'aria-pressed': 'false',
    })
    this.#tail = new LiveTail({
      opened: () => void this.#loadBehind(),
      records: (answer) => this.#received(answer),
      status: (text) => {
        this.#status.textContent = text
      },
      ended: () => this.#showLive(false),
    })
    this.#more.hidden = true
    this.element = element(
      'div',
      {},
      this.#form(),
      this.#status,
      this.#table.element,
      element('div', { class: 'tools' }, this.#more),
    )
  }

  /** Asks how many partitions there are, and shows records once; then only when it is asked to. */
  async refresh(topic: string, signal: AbortSignal): Promise<void> {
    const path = apiPath(['topics', topic], { limit: 1, segments: 1 })
    const { partitionCount } = await ask<TopicAnswer>(path, signal)
    if (this.#partition.options.length !== partitionCount + 1) {
      const choices = Array.from({ length: Math.min(partitionCount, 2000) }, (_, index) =>
        element('option', { value: index }, String(index)),
      )
      fill(this.#partition, element('option', { value: '' }, 'all'), ...choices)
    }
    if (!this.#tail.isOpen) await this.#load(false)
  }

  close(): void {
    this.#tail.close()
    this.#asking?.abort()
  }

  #form(): HTMLElement {
    const [offset, time] = [field('Offset', this.#offset), field('Time', this.#time)]
    const adapt = (): void => {
      offset.hidden = this.#start.value !== 'offset'
      time.hidden = this.#start.value !== 'time'
    }
    adapt()
    this.#start.addEventListener('change', adapt)
    const form = element(
      'form',
      { class: 'tools records-form', role: 'search', 'aria-label': 'Records' },
      field('Partition', this.#partition),
      field('Show', this.#start),
      offset,
      time,
      field('Key', this.#key),
      field('Contains', this.#contains, 'grow'),
      element('label', { class: 'check' }, this.#committed, 'committed only'),
      element('button', { type: 'submit', class: 'primary' }, 'Search'),
      this.#live,
    )
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#load(false)
    })
    for (const each of [this.#partition, this.#start, this.#committed]) {
      each.addEventListener('change', () => {
        if (this.#tail.isOpen) this.#startLive()
        else if (!this.#start.matches(':is([value=offset],[value=time])')) void this.#load(false)
      })
    }
    return form
  }

  #filter(): Readonly<Record<string, string | null>> {
    return {
      partition: this.#partition.value,
      key: this.#key.value,
      contains: this.#contains.value,
      isolation: this.#committed.checked ? 'committed' : null,
    }
  }

  #question(): Readonly<Record<string, string | number | null>> {
    const start = this.#start.value
    const time = start === 'time' ? new Date(this.#time.value).getTime() : Number.NaN
    return {
      ...this.#filter(),
      from: start === 'offset' ? this.#offset.value : start === 'time' ? null : start,
      time: Number.isNaN(time) ? null : time,
      limit: 50,
    }
  }

  /** Reads on until there is something to show, all has been read, or enough. */
  async #load(isMore: boolean): Promise<void> {
    if (this.#tail.isOpen && !isMore) {
      this.#startLive()
      return
    }
    this.#asking?.abort()
    const asking = new AbortController()
    this.#asking = asking
    const isNewestFirst = this.#start.value === 'latest'
    this.#more.textContent = isNewestFirst ? 'Older' : 'Newer'
    const found: RecordAnswer[] = []
    let scannedBytes = 0
    let scannedRecords = 0
    let next = isMore ? this.#next : null
    try {
      do {
        const path = apiPath(['topics', this.#topic, 'records'], { ...this.#question(), next })
        const answer: RecordsAnswer = await ask<RecordsAnswer>(path, asking.signal)
        found.push(...answer.records)
        scannedBytes += answer.scannedBytes
        scannedRecords += answer.scannedRecords
        next = answer.next
        const looked = `${counted(scannedRecords, 'record')} looked at (${bytes(scannedBytes)})`
        this.#status.textContent = `${counted(found.length, 'record')} found, ${looked}`
        this.#noteLeftOut(answer)
      } while (next !== null && found.length === 0 && scannedBytes < searchBytesMax)
    } catch (error) {
      if (asking.signal.aborted) return
      this.#status.textContent = messageOf(error)
      return
    }
    this.#next = next
    this.#more.hidden = next === null
    if (isMore) this.#table.append(found)
    else this.#table.replace(found)
    announce(this.#status.textContent ?? '')
  }

  #noteLeftOut({ partitionsLeftOut }: RecordsAnswer): void {
    if (partitionsLeftOut === 0) return
    const text = `; ${count(partitionsLeftOut)} partitions were not looked at: choose one`
    this.#status.append(text)
  }

  #toggleLive(): void {
    if (this.#tail.isOpen) {
      this.#tail.close()
      this.#showLive(false)
      this.#status.textContent = 'Paused.'
    } else this.#startLive()
  }

  #startLive(): void {
    this.#asking?.abort()
    this.#more.hidden = true
    this.#tail.open(apiPath(['topics', this.#topic, 'tail'], this.#filter()))
    this.#showLive(true)
  }

  /** What was there before the live view began, behind what has come since. */
  async #loadBehind(): Promise<void> {
    this.#table.replace([])
    const path = apiPath(['topics', this.#topic, 'records'], { ...this.#filter(), limit: 50 })
    const { records } = await ask<RecordsAnswer>(path).catch(() => ({ records: [] }))
    if (this.#tail.isOpen) this.#table.append(records)
  }

  #showLive(isLive: boolean): void {
    this.#live.setAttribute('aria-pressed', String(isLive))
    this.#live.textContent = isLive ? 'Pause' : 'Live'
  }

  #received({ records }: TailAnswer): void {
    this.#table.prepend(records.toReversed(), liveRowsMax)
  }
}

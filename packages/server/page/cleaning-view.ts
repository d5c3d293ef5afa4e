import type {
  CleanedLogAnswer,
  CleaningAnswer,
  CleaningFailureAnswer,
  CleaningRunAnswer,
} from '../src/ui/answers.js'
import { apiPath, ask } from './api.ts'
import { askAndChange } from './change-dialog.ts'
import { button, element } from './dom.ts'
import { ago, bytes, count, counted, duration, percent, time } from './format.ts'
import { partitionLink } from './page-route.ts'
import { type Column, handle, Table } from './table.ts'
import { type PageContext, searchField, type View, viewFrame } from './view.ts'

type Aged<Row> = Row & { readonly nowMs: number }

/** Retention and compaction: what is due, what failed, what was done. */
export class CleaningView implements View {
  readonly title = 'Cleaning'
  readonly everyMs = 5000
  readonly element: HTMLElement
  readonly #summary = element('p', { class: 'summary' })
  readonly #logs: Table<CleanedLogAnswer>
  readonly #failures: Table<Aged<CleaningFailureAnswer>>
  readonly #failing: HTMLElement
  readonly #runs: Table<Aged<CleaningRunAnswer>>
  #search = ''

  constructor(page: PageContext) {
    this.#logs = new Table('Partitions', logColumns, ({ log }) => log, 'There are no partitions.')
    this.#failures = new Table('Failures', failureColumns, ({ log }) => log, 'Nothing failed.')
    const none = 'Nothing was deleted or compacted since the server started.'
    this.#runs = new Table('Last runs', runColumns, keyOfRun, none)
    const search = searchField('Search partitions', (text) => {
      this.#search = text
      page.refresh()
    })
    const actions = page.session().writes ? [button('Run now', () => runNow(page))] : []
    this.#failing = element('div', {}, element('h2', {}, 'Failing'), this.#failures.element)
    this.#failing.hidden = true
    this.element = viewFrame(
      ...(['Retention and compaction', actions] as const),
      element('div', { class: 'tools' }, search, this.#summary),
      this.#failing,
      this.#logs.element,
      element('h2', {}, 'Last runs'),
      this.#runs.element,
    )
  }

  async refresh(signal: AbortSignal): Promise<void> {
    const path = apiPath(['cleaning'], { search: this.#search })
    const { logs, leftOut, failures, runs, nowMs } = await ask<CleaningAnswer>(path, signal)
    this.#logs.update(logs)
    this.#failing.hidden = failures.length === 0
    this.#failures.update(failures.map((failure) => ({ ...failure, nowMs })))
    this.#runs.update(runs.map((run) => ({ ...run, nowMs })))
    const due = logs.filter(({ compaction, retention }) => {
      return (compaction?.reason ?? null) !== null || retention.segments > 0
    })
    const more = leftOut > 0 ? `; ${count(leftOut)} more: search for them` : ''
    this.#summary.textContent = `${counted(logs.length, 'partition')}, ${due.length} due${more}`
  }
}

const logColumns: readonly Column<CleanedLogAnswer>[] = [
  {
    title: 'Partition',
    show: ({ log }) =>
      handle(log, () => {
        const [, topic = log, partition = '0'] = /^(.*)-(\d+)$/.exec(log) ?? []
        return element('a', { href: partitionLink(topic, Number(partition)) }, log)
      }),
    by: ({ log }) => log.replace(/\d+$/, (partition) => partition.padStart(9, '0')),
  },
  { title: 'Policy', kind: 'wide', show: ({ policy }) => policy.join(', ') },
  {
    ...{ title: 'Size', kind: 'number' },
    show: ({ sizeBytes }) => bytes(sizeBytes),
    by: ({ sizeBytes }) => sizeBytes,
  },
  {
    ...{ title: 'Dirty', kind: 'number' },
    show: ({ compaction }) => (compaction === null ? '–' : percent(compaction.dirtyRatio)),
    by: ({ compaction }) => compaction?.dirtyRatio ?? -1,
  },
  { title: 'Compaction', kind: 'wide', show: (row) => compactionText(row) },
  { title: 'Retention', show: (row) => retentionText(row) },
]

function compactionText({ compaction }: CleanedLogAnswer): string {
  if (compaction === null) return '–'
  const { reason, dirtyBytes, minDirtyRatio } = compaction
  if (reason !== null) return `due: ${reasons.get(reason) ?? reason}`
  if (dirtyBytes === 0) return 'clean'
  return `${bytes(dirtyBytes)} dirty; due above ${percent(minDirtyRatio)}`
}

function retentionText({ retention, error }: CleanedLogAnswer): string {
  if (error !== null) return error
  const { segments, sizeBytes, heldBy } = retention
  const held = heldBy.length === 0 ? '' : `held for ${heldBy.join(', ')}`
  if (segments === 0) return held === '' ? 'nothing due' : held
  const due = `${counted(segments, 'segment')} due (${bytes(sizeBytes)})`
  return held === '' ? due : `${due}; ${held}`
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['dirtyRatio', 'dirty enough'],
  ['maxCompactionLag', 'too long ago'],
  ['expiredRecords', 'records expired'],
  ['retentionTime', 'too old'],
  ['retentionSize', 'too much'],
  ['logStartOffset', 'before the log start'],
])

const failureColumns: readonly Column<Aged<CleaningFailureAnswer>>[] = [
  { title: 'Partition', show: ({ log }) => log },
  { title: 'Task', show: ({ task }) => task },
  { title: 'Error', show: ({ error }) => error },
  { title: 'Attempts', kind: 'number', show: ({ attempts }) => count(attempts) },
  { title: 'Again', kind: 'wide', show: ({ retryAtMs, nowMs }) => ago(retryAtMs, nowMs) },
]

const runColumns: readonly Column<Aged<CleaningRunAnswer>>[] = [
  { title: 'When', kind: 'mono', show: ({ atMs }) => time(atMs).slice(0, 19) },
  { title: 'Partition', show: ({ log }) => log },
  { title: 'What', show: ({ task }) => task },
  { title: 'Why', kind: 'wide', show: ({ reason }) => reasons.get(reason) ?? reason },
  {
    title: 'Effect',
    show: ({ task, inputBytes, outputBytes, segments }) =>
      task === 'retention'
        ? `${counted(segments, 'segment')} deleted (${bytes(inputBytes)})`
        : `${bytes(inputBytes)} → ${bytes(outputBytes)}`,
  },
  {
    ...{ title: 'Took', kind: 'number wide' },
    show: ({ durationMs }) => (durationMs === null ? '–' : duration(durationMs)),
  },
]

function keyOfRun({ atMs, log, task, reason }: CleaningRunAnswer): string {
  return `${atMs} ${log} ${task} ${reason}`
}

function runNow(page: PageContext): void {
  askAndChange(page, {
    ...{ title: 'Run now', action: 'run-cleaning', confirm: 'run' },
    text: 'Deletes what is due by the topics’ settings, and compacts the partitions that are due.',
    fields: () => ({}),
  })
}

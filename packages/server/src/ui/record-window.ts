import type { AbortedTransaction, Isolation, Log } from '@varve/log'
import type { Batch, LogRecord, Offset } from '@varve/record'
import type { RecordAnswer } from './answers.ts'
import { previewCut, recordAnswer } from './byte-answer.ts'
import type { RecordFilter } from './record-filter.ts'

/** What is left of the work that one question may cause. */
export class ReadingBudget {
  bytes: number
  records = 0
  readonly #allowedBytes: number

  constructor(bytes: number) {
    this.bytes = bytes
    this.#allowedBytes = bytes
  }

  get isSpent(): boolean {
    return this.bytes <= 0
  }

  get spentBytes(): number {
    return this.#allowedBytes - this.bytes
  }
}

/** How the records of one partition are looked for. */
export interface WindowSearch {
  readonly partition: number
  readonly log: Log
  readonly limit: number
  readonly filter: RecordFilter | null
  readonly isolation: Isolation
  readonly budget: ReadingBudget
}

export interface Window {
  readonly records: readonly RecordAnswer[]
  /** Where to go on: the next offset to be looked at, or for older ones the last one that was. */
  readonly at: Offset
  /** Whether there is nothing further. */
  readonly isEnd: boolean
}

const readBytes = 256 * 1024

/** The first records from an offset on, in their order. */
export async function newerRecords(search: WindowSearch, from: Offset): Promise<Window> {
  const { log, limit, budget } = search
  const records: RecordAnswer[] = []
  let at = Math.max(from, log.logStartOffset)
  while (records.length < limit && !budget.isSpent) {
    const end = await readOn(search, at, Number.POSITIVE_INFINITY, (record, answer) => {
      records.push(answer())
      return records.length < limit ? null : record.offset + 1
    })
    if (end === at) return { records, at, isEnd: true }
    at = end
  }
  return { records, at, isEnd: false }
}

/**
 * The last records before an offset, the newest first. A log is read forward only: so a stretch
 * before the offset is read, and when too little is found the one before that, twice as long.
 */
export async function olderRecords(search: WindowSearch, before: Offset): Promise<Window> {
  const { log, limit, budget } = search
  const start = log.logStartOffset
  let found: RecordAnswer[] = []
  let at = Math.min(before, log.highWatermark)
  let span = firstSpan(search)
  while (at > start && found.length < limit && !budget.isSpent) {
    const from = Math.max(start, at - span)
    const stretch = await readStretch(search, from, at, limit - found.length)
    found = [...found, ...stretch.toReversed()]
    at = from
    span *= 2
  }
  const last = found.at(-1)
  if (found.length >= limit && last !== undefined) at = last.offset
  return { records: found, at, isEnd: at <= start }
}

/** As many offsets as probably have the records, or the bytes that may be read. */
function firstSpan({ log, limit, filter, budget }: WindowSearch): number {
  const offsets = Math.max(1, log.highWatermark - log.logStartOffset)
  const meanBytes = Math.max(1, log.sizeBytes / offsets)
  const wanted = filter === null ? limit : 10_000
  return Math.max(1, Math.min(wanted, Math.floor(budget.bytes / meanBytes)))
}

/** The last matching records between two offsets, in their order. */
async function readStretch(
  search: WindowSearch,
  from: Offset,
  to: Offset,
  limit: number,
): Promise<readonly RecordAnswer[]> {
  const last: RecordAnswer[] = []
  for (let at = from; at < to; ) {
    const end = await readOn(search, at, to, (_, answer) => {
      last.push(answer())
      if (last.length > limit) last.shift()
      return null
    })
    if (end === at) break
    at = end
  }
  return last
}

/**
 * Reads one piece and shows the records in it that are wanted; returns where to read on, which is
 * where it began at the end of the log.
 *
 * @param visit returns null to go on, or where to stop
 */
async function readOn(
  { partition, log, filter, isolation, budget }: WindowSearch,
  from: Offset,
  to: Offset,
  visit: (record: LogRecord, answer: () => RecordAnswer) => Offset | null,
): Promise<Offset> {
  const result = await log.read({ from, maxBytes: readBytes, isolation })
  const aborted = result.abortedTransactions
  for (const batch of result.batches) {
    budget.bytes -= batch.sizeBytes
    if (batch.isControl || isAborted(batch, aborted)) continue
    for (const record of batch.records()) {
      if (record.offset < from) continue
      if (record.offset >= to) return to
      budget.records++
      if (filter !== null && !filter(record)) continue
      const end = visit(record, () => recordAnswer(partition, record, previewCut))
      if (end !== null) return end
    }
  }
  return Math.max(from, result.nextOffset)
}

/** Whether its transaction was aborted, as readers of committed records are told. */
export function isAborted(batch: Batch, aborted: readonly AbortedTransaction[]): boolean {
  if (!batch.isTransactional) return false
  return aborted.some(
    ({ producerId, firstOffset, lastOffset }) =>
      producerId === batch.producerId &&
      batch.baseOffset >= firstOffset &&
      batch.baseOffset <= lastOffset,
  )
}

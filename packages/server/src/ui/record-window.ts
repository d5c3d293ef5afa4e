import type { AbortedTransaction, Isolation, Log, ReadResult } from '@varve/log'
import type { Batch, LogRecord, Offset } from '@varve/record'
import type { RecordAnswer } from './answers.ts'
import { previewCut, recordAnswer } from './byte-answer.ts'
import type { PageReading } from './page-reading.ts'
import type { RecordFilter } from './record-filter.ts'

/** What is left of the work that one question may cause. */
export class ReadingBudget {
  /** As they are when they are decompressed. */
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

  /** Takes note of a batch; what its records are is told as they are come upon. */
  spendBatch({ sizeBytes }: Batch): void {
    this.bytes -= sizeBytes
  }

  spendRecord({ keySize, valueSize }: LogRecord): void {
    this.bytes -= Math.max(0, keySize) + Math.max(0, valueSize)
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
  readonly reading: PageReading
}

export interface Window {
  readonly records: readonly RecordAnswer[]
  /** Where to go on: the next offset to be looked at, or for older ones the last one that was. */
  readonly at: Offset
  /** Whether there is nothing further. */
  readonly isEnd: boolean
}

/** What is read of a log. */
interface Range {
  readonly from: Offset
  readonly to: Offset
  /** Of the budget: with no more than that left, no further batch is looked into. */
  readonly stopBytes: number
}

/** Null to go on, or where to stop. */
type Visit = (record: LogRecord, answer: () => RecordAnswer) => Offset | null

const readBytes = 256 * 1024
/** Between looks at the time. */
const recordsPerLook = 64
/** Of the records before an offset: a longer stretch is given up for a shorter one. */
const stretchBytesMax = 16 * 2 ** 20

/** The first records from an offset on, in their order. */
export async function newerRecords(search: WindowSearch, from: Offset): Promise<Window> {
  const { log, limit, budget } = search
  const records: RecordAnswer[] = []
  let at = Math.max(from, log.logStartOffset)
  while (records.length < limit && !budget.isSpent) {
    const range = { from: at, to: Number.POSITIVE_INFINITY, stopBytes: 0 }
    const end = await readOn(search, range, (record, answer) => {
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
 * before the offset is read, and when too little is found the one before that, twice as long. One
 * that turns out to be more than the question may cause is given up for the later half of it; the
 * first stretch always ends, so that whoever asks on comes further.
 */
export async function olderRecords(search: WindowSearch, before: Offset): Promise<Window> {
  const { log, limit, budget } = search
  const start = log.logStartOffset
  let found: RecordAnswer[] = []
  let at = Math.min(before, log.highWatermark)
  let span = firstSpan(search)
  for (let isFirst = true; at > start && found.length < limit; ) {
    if (budget.isSpent && !isFirst) break
    const from = Math.max(start, at - span)
    const stretch = await readStretch(search, from, at, limit - found.length)
    if (!stretch.isWhole) {
      span = at - Math.max(stretch.at, at - Math.ceil((at - from) / 2))
      continue
    }
    isFirst = false
    found = [...found, ...stretch.records.toReversed()]
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

/** What lies between two offsets, or a part of it that took too much. */
interface Stretch {
  /** The last that match, in their order. */
  readonly records: readonly RecordAnswer[]
  readonly isWhole: boolean
  /** Up to where it was read. */
  readonly at: Offset
}

async function readStretch(
  search: WindowSearch,
  from: Offset,
  to: Offset,
  limit: number,
): Promise<Stretch> {
  const { budget } = search
  const last: RecordAnswer[] = []
  const stopBytes = budget.bytes - stretchBytesMax
  let at = from
  while (at < to) {
    const end = await readOn(search, { from: at, to, stopBytes }, (_, answer) => {
      last.push(answer())
      if (last.length > limit) last.shift()
      return null
    })
    if (end === at) break
    at = end
    if (at < to && budget.bytes <= stopBytes) {
      return { records: [], isWhole: false, at }
    }
  }
  return { records: last, isWhole: true, at: to }
}

/**
 * Reads one piece and shows the records in it that are wanted; returns where to read on, which is
 * where it began at the end of the log.
 */
async function readOn(search: WindowSearch, range: Range, visit: Visit): Promise<Offset> {
  const { log, isolation } = search
  const { from } = range
  const result = await log.read({ from, maxBytes: readBytes, isolation })
  const stop = await visitRecords(search, result, range, visit)
  return stop ?? Math.max(from, result.nextOffset)
}

/** Null where nothing said where to stop. */
async function visitRecords(
  { partition, filter, budget, reading }: WindowSearch,
  { batches, abortedTransactions }: ReadResult,
  { from, to, stopBytes }: Range,
  visit: Visit,
): Promise<Offset | null> {
  for (const [index, batch] of batches.entries()) {
    if (index > 0 && budget.bytes <= stopBytes) return Math.max(from, batch.baseOffset)
    const pause = reading.pause()
    if (pause !== undefined) await pause
    budget.spendBatch(batch)
    if (batch.isControl || isAborted(batch, abortedTransactions)) continue
    const isCompressed = batch.compressionType !== 'none'
    let seen = 0
    for (const record of batch.records({ memory: reading.memory })) {
      if (++seen % recordsPerLook === 0) {
        const rest = reading.pause()
        if (rest !== undefined) await rest
      }
      if (isCompressed) budget.spendRecord(record)
      if (record.offset < from) continue
      if (record.offset >= to) return to
      budget.records++
      if (filter !== null && !filter(record)) continue
      const end = visit(record, () => recordAnswer(partition, record, previewCut))
      if (end !== null) return end
    }
  }
  return null
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

import type { Topic } from '@varve/broker/serving'
import type { Log } from '@varve/log'
import type { Offset } from '@varve/record'
import type { RecordAnswer, RecordsAnswer } from './answers.ts'
import { recordAnswer, wholeCut } from './byte-answer.ts'
import type { PageReading } from './page-reading.ts'
import { recordFilter } from './record-filter.ts'
import {
  newerRecords,
  olderRecords,
  ReadingBudget,
  type Window,
  type WindowSearch,
} from './record-window.ts'
import { UiRequestError } from './ui-errors.ts'
import type { UiQuery } from './ui-query.ts'

/** So much is read, and decompressed, for one question; the page asks on. */
const budgetBytes = 16 * 2 ** 20
const recordsMax = 200
/** So many partitions are looked at together. */
const partitionsMax = 64

/** Where the question begins in a partition. */
type Start = (log: Log) => Promise<Offset> | Offset

interface Place {
  readonly partition: number
  readonly log: Log
  readonly from: Offset
}

/**
 * A page of a topic's records, over its partitions, by time as far as each partition's order
 * allows:
 *
 * - `from=latest`: the newest, the newest first; `from=earliest`, an offset, or `time=` in ms since
 *   1970: from there on, the oldest first;
 * - `partition`, or all; `key` and `contains` (see recordFilter); `isolation`; `limit`;
 * - `next`: as the answer before gave it, with the same question.
 *
 * Throws UiRequestError; rejects as `Log.read` does.
 */
export async function recordsPage(
  topic: Topic,
  query: UiQuery,
  reading: PageReading,
): Promise<RecordsAnswer> {
  const isNewestFirst = query.text('time') === null && (query.text('from') ?? 'latest') === 'latest'
  const { places, leftOut } = await placesOf(topic, query, isNewestFirst)
  const limit = query.limit('limit', 50, recordsMax)
  const budget = new ReadingBudget(budgetBytes)
  const windows = new Map<number, Window>()
  const filter = recordFilter(query)
  const isolation = query.isolation()
  for (const { partition, log, from } of places) {
    const share = new ReadingBudget(Math.max(64 * 1024, budgetBytes / places.length))
    const search: WindowSearch = {
      ...{ partition, log, limit, filter, isolation, budget: share, reading },
    }
    const read = isNewestFirst ? olderRecords : newerRecords
    windows.set(partition, await read(search, from))
    budget.bytes -= share.spentBytes
    budget.records += share.records
  }
  const { records, next } = merged(windows, limit, isNewestFirst)
  return {
    ...{ records, next, partitionsLeftOut: leftOut },
    scannedRecords: budget.records,
    scannedBytes: budget.spentBytes,
  }
}

/** One record, as whole as a page shows it. Throws UiRequestError where there is none. */
export async function oneRecord(topic: Topic, query: UiQuery): Promise<RecordAnswer> {
  const partition = query.whole('partition') ?? 0
  const offset = requiredOffset(query)
  const record = await topic.partition(partition).log.readRecord(offset)
  if (record === null) throw noRecord(topic.name, partition, offset)
  return recordAnswer(partition, record, wholeCut)
}

/** All bytes of a record's value, or with `part=key` of its key. Throws UiRequestError. */
export async function recordBytes(topic: Topic, query: UiQuery): Promise<Buffer> {
  const partition = query.whole('partition') ?? 0
  const offset = requiredOffset(query)
  const record = await topic.partition(partition).log.readRecord(offset)
  if (record === null) throw noRecord(topic.name, partition, offset)
  return (query.text('part') === 'key' ? record.key : record.value) ?? Buffer.alloc(0)
}

function requiredOffset(query: UiQuery): Offset {
  const offset = query.whole('offset')
  if (offset === null) throw new UiRequestError(400, 'offset is missing')
  return offset
}

function noRecord(topic: string, partition: number, offset: Offset): UiRequestError {
  const message = `no record at offset ${offset} of ${topic}-${partition}: it was removed, or is`
  return new UiRequestError(404, `${message} a marker of a transaction`)
}

async function placesOf(
  topic: Topic,
  query: UiQuery,
  isNewestFirst: boolean,
): Promise<{ readonly places: readonly Place[]; readonly leftOut: number }> {
  const next = query.text('next')
  if (next !== null) return { places: continued(topic, next), leftOut: 0 }
  const wanted = query.whole('partition')
  const partitions = wanted === null ? topic.partitions : [topic.partition(wanted)]
  const start = startOf(query, isNewestFirst)
  const places: Place[] = []
  for (const { partition, openLog: log } of partitions.slice(0, partitionsMax)) {
    if (log === null && wanted !== null) topic.partition(partition).log
    if (log !== null) places.push({ partition, log, from: await start(log) })
  }
  return { places, leftOut: Math.max(0, partitions.length - partitionsMax) }
}

function startOf(query: UiQuery, isNewestFirst: boolean): Start {
  const time = query.whole('time')
  if (time !== null) {
    return async (log) => (await log.offsetForTimestamp(time))?.offset ?? log.highWatermark
  }
  if (isNewestFirst) return (log) => log.highWatermark
  if (query.text('from') === 'earliest') return (log) => log.logStartOffset
  const offset = query.whole('from') ?? 0
  return (log) => Math.min(Math.max(offset, log.logStartOffset), log.highWatermark)
}

/** As `0:17,2:4`: each partition with where to go on. */
function continued(topic: Topic, next: string): readonly Place[] {
  const places = next.split(',').map((part) => {
    const match = /^(\d{1,9}):(\d{1,16})$/.exec(part)
    if (match === null) throw new UiRequestError(400, 'next is not one that was given')
    const partition = Number(match[1])
    return { partition, log: topic.partition(partition).log, from: Number(match[2]) }
  })
  if (places.length <= partitionsMax) return places
  throw new UiRequestError(400, 'next is not one that was given')
}

/** The records of several partitions by time, each partition's in its order. */
function merged(
  windows: ReadonlyMap<number, Window>,
  limit: number,
  isNewestFirst: boolean,
): { readonly records: readonly RecordAnswer[]; readonly next: string | null } {
  const taken = new Map([...windows.keys()].map((partition) => [partition, 0]))
  const records: RecordAnswer[] = []
  while (records.length < limit) {
    let best: RecordAnswer | null = null
    for (const [partition, window] of windows) {
      const head = window.records[taken.get(partition) ?? 0]
      if (head !== undefined && (best === null || isBefore(head, best, isNewestFirst))) best = head
    }
    if (best === null) break
    records.push(best)
    taken.set(best.partition, (taken.get(best.partition) ?? 0) + 1)
  }
  const places: string[] = []
  for (const [partition, window] of windows) {
    const rest = window.records[taken.get(partition) ?? 0]
    if (rest !== undefined) places.push(`${partition}:${rest.offset + (isNewestFirst ? 1 : 0)}`)
    else if (!window.isEnd) places.push(`${partition}:${window.at}`)
  }
  return { records, next: places.length === 0 ? null : places.join(',') }
}

function isBefore(one: RecordAnswer, other: RecordAnswer, isNewestFirst: boolean): boolean {
  return isNewestFirst ? one.timestamp > other.timestamp : one.timestamp < other.timestamp
}

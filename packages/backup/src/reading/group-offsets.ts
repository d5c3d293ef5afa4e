import type { LogRecord, Offset } from '@varve/record'
import { committedBatches } from './committed-records.ts'
import type { RecordHistory } from './record-history.ts'

/** A committed offset of a consumer group. */
export interface GroupOffset {
  readonly group: string
  readonly topic: string
  readonly partition: number
  /** The next one to be read. */
  readonly offset: Offset
  readonly metadata: string
}

/** What a record of `__consumer_offsets` says of an offset; `value` null: that it is forgotten. */
export interface GroupOffsetRecord {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly value: { readonly offset: Offset; readonly metadata: string } | null
}

/** Reads a record of `__consumer_offsets`; null for one that is about something else. */
export type GroupOffsetReader = (record: LogRecord) => GroupOffsetRecord | null

/** Kafka's topic of committed offsets. */
export const groupOffsetsTopic = '__consumer_offsets'

/** What groups had committed, by group, topic and partition. */
export async function groupOffsets(
  history: RecordHistory,
  read: GroupOffsetReader,
): Promise<readonly GroupOffset[]> {
  const found = new Map<string, GroupOffset>()
  for (const partition of history.partitions) {
    if (partition.topic !== groupOffsetsTopic) continue
    const from = partition.logStartOffset
    // What an open transaction would commit is not committed, and what comes after it is.
    for await (const batch of committedBatches(partition, {
      from,
      openTransactions: 'leave-out',
    })) {
      for (const record of batch.records()) note(found, read(record))
    }
  }
  return [...found.values()].sort(
    (a, b) => compare(a.group, b.group) || compare(a.topic, b.topic) || a.partition - b.partition,
  )
}

function note(found: Map<string, GroupOffset>, record: GroupOffsetRecord | null): void {
  if (record === null) return
  const { group, topic, partition, value } = record
  const key = JSON.stringify([group, topic, partition])
  if (value === null) found.delete(key)
  else found.set(key, { group, topic, partition, ...value })
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

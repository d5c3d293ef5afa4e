import type { Offset, Timestamp } from '@varve/record'
import { SchemaReader } from '../groups/schema-reader.ts'
import { SchemaWriter } from '../groups/schema-writer.ts'

/**
 * The topic that holds the state of deliveries of all queues is compacted; its keys and values are
 * Varve's own, in Kafka's notation of fields:
 *
 *     key:     int16 version (0) | string queue | string topicId | int32 partition
 *              | int64 bucket, or -1 for the start
 *     value of the start:   int16 version (0) | int64 startOffset
 *     value of a bucket:    int16 version (0) | array of { int32 first | int32 last
 *                           | int32 deliveryCount, or -1: finished | int64 availableAt }
 *
 * A bucket is so many offsets in a row, and says all that is not as it was at first: `first` and
 * `last` are counted from its beginning. Everything below the start is finished.
 */
export const bucketOffsets = 128

export interface QueueStateKey {
  readonly queue: string
  /** Of the topic whose records it delivers: one of the same name that is made later is another. */
  readonly topicId: string
  readonly partition: number
  /** Null for the start. */
  readonly bucket: number | null
}

/** Neighbouring offsets of which the same is known. */
export interface DeliveryRun {
  readonly firstOffset: Offset
  readonly lastOffset: Offset
  /** Null: acknowledged, or rejected and with the dead letters. */
  readonly deliveryCount: number | null
  /** Not delivered before; 0 at once. */
  readonly availableAt: Timestamp
}

const versions = { latest: 0, firstFlexible: Infinity } as const
const keyVersions = { ...versions, subject: 'key of a queue’s state' }
const startVersions = { ...versions, subject: 'start of a queue' }
const bucketVersions = { ...versions, subject: 'bucket of a queue’s state' }

export function bucketOf(offset: Offset): number {
  return Math.floor(offset / bucketOffsets)
}

export function encodeQueueStateKey(key: QueueStateKey): Buffer {
  const { queue, topicId, partition, bucket } = key
  const writer = new SchemaWriter(0, versions.firstFlexible)
  return writer
    .string(queue)
    .string(topicId)
    .int32(partition)
    .int64(bucket ?? -1)
    .finish()
}

/** Throws CorruptGroupRecordError, as all of these. */
export function decodeQueueStateKey(bytes: Buffer): QueueStateKey {
  const reader = new SchemaReader(bytes, keyVersions)
  const queue = reader.string()
  const topicId = reader.string()
  const partition = reader.int32()
  const bucket = reader.int64()
  if (partition < 0 || bucket < -1 || !Number.isSafeInteger(bucket * bucketOffsets)) {
    throw reader.corrupt(`partition ${partition}, bucket ${bucket}`)
  }
  return { queue, topicId, partition, bucket: bucket === -1 ? null : bucket }
}

export function encodeStart(startOffset: Offset): Buffer {
  return new SchemaWriter(0, versions.firstFlexible).int64(startOffset).finish()
}

export function decodeStart(bytes: Buffer): Offset {
  const reader = new SchemaReader(bytes, startVersions)
  const start = reader.int64()
  if (start < 0) throw reader.corrupt(`it is ${start}`)
  return start
}

export function encodeBucket(bucket: number, runs: readonly DeliveryRun[]): Buffer {
  const writer = new SchemaWriter(0, versions.firstFlexible)
  const base = bucket * bucketOffsets
  writer.array(runs, (run) => {
    writer.int32(run.firstOffset - base).int32(run.lastOffset - base)
    writer.int32(run.deliveryCount ?? -1).int64(run.availableAt)
  })
  return writer.finish()
}

export function decodeBucket(bucket: number, bytes: Buffer): DeliveryRun[] {
  const reader = new SchemaReader(bytes, bucketVersions)
  const base = bucket * bucketOffsets
  return reader.array(() => {
    const first = reader.int32()
    const last = reader.int32()
    const count = reader.int32()
    const availableAt = reader.int64()
    if (first < 0 || last < first || last >= bucketOffsets || count < -1) {
      throw reader.corrupt(`a run from ${first} to ${last} of count ${count}`)
    }
    const deliveryCount = count === -1 ? null : count
    return { firstOffset: base + first, lastOffset: base + last, deliveryCount, availableAt }
  })
}

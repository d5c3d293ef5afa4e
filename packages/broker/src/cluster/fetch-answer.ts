import type { Reader } from '@platformatic/kafka'
import { type Batch, controlTypeOf, type Offset, readBatches } from '@varve/record'

/** A transaction that was aborted, of which a fetched stretch may hold records. */
export interface AbortedProducer {
  readonly producerId: number
  readonly firstOffset: Offset
}

/** What a broker says of one partition in a Fetch answer. */
export interface FetchedPartition {
  readonly topicId: string
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: Offset
  readonly lastStableOffset: Offset
  readonly logStartOffset: Offset
  readonly aborted: readonly AbortedProducer[]
  /** Batches as they lie in the log; the last one may be cut short. */
  readonly bytes: Buffer | null
}

export interface FetchAnswer {
  readonly errorCode: number
  readonly partitions: readonly FetchedPartition[]
}

/**
 * Reads Kafka's FetchResponse, versions 13 to 17, and leaves the batches as they are: they are of
 * the form that a log has on disk.
 */
export function readFetchAnswer(reader: Reader): FetchAnswer {
  reader.readInt32() // throttle time
  const errorCode = reader.readInt16()
  reader.readInt32() // session id
  const topics = reader.readArray((topic) => {
    const topicId = topic.readUUID()
    return topic.readArray((partition) => readPartition(partition, topicId))
  })
  return { errorCode, partitions: topics.flat() }
}

function readPartition(reader: Reader, topicId: string): FetchedPartition {
  const partition = reader.readInt32()
  const errorCode = reader.readInt16()
  const highWatermark = Number(reader.readInt64())
  const lastStableOffset = Number(reader.readInt64())
  const logStartOffset = Number(reader.readInt64())
  const aborted = reader.readNullableArray((each) => ({
    producerId: Number(each.readInt64()),
    firstOffset: Number(each.readInt64()),
  }))
  reader.readInt32() // preferred read replica
  return {
    ...{ topicId, partition, errorCode, highWatermark, lastStableOffset, logStartOffset },
    aborted: aborted ?? [],
    bytes: reader.readNullableBytes(),
  }
}

/** The whole batches of a fetched stretch, checked. Throws CorruptBatchError. */
export function batchesOf(bytes: Buffer | null): readonly Batch[] {
  const batches = bytes === null ? [] : [...readBatches(bytes)]
  for (const batch of batches) batch.validate()
  return batches
}

/**
 * Leaves out what a reader of committed records must not see: markers, and the records of aborted
 * transactions, each from its first offset to its marker.
 */
export function committedBatches(
  batches: readonly Batch[],
  aborted: readonly AbortedProducer[],
): readonly Batch[] {
  const rest = [...aborted].sort((one, other) => one.firstOffset - other.firstOffset)
  const aborting = new Set<number>()
  return batches.filter((batch) => {
    while (rest[0] !== undefined && rest[0].firstOffset <= batch.lastOffset) {
      aborting.add(rest[0].producerId)
      rest.shift()
    }
    if (batch.isControl) {
      if (isAbortMarker(batch)) aborting.delete(batch.producerId)
      return false
    }
    return !(batch.isTransactional && aborting.has(batch.producerId))
  })
}

function isAbortMarker(batch: Batch): boolean {
  for (const record of batch.records()) return controlTypeOf(record) === 'abort'
  return false
}

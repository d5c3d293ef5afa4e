import type { Isolation } from '@varve/log'
import type { Batch, Offset, Timestamp } from '@varve/record'
import type { TopicPartition } from '../base/topic-partition.ts'

// What consumers need of the place where the topics are: a data directory, or a cluster.

export interface BatchReaderOptions {
  readonly from: Offset
  readonly isolation: Isolation
  readonly follow: boolean
  readonly maxBytes: number
  readonly signal: AbortSignal
}

/** Batches, as they come. */
export interface BatchSource {
  /**
   * The next batches, at least one, without what a reader at its isolation must not see; null at
   * the end. Rejects with OffsetOutOfRangeError where the next record is not there.
   */
  nextBatches(): Promise<readonly Batch[] | null>
  return(): Promise<unknown>
}

/** The records of a partition. */
export interface ReadableLog {
  readonly logStartOffset: Offset
  readonly highWatermark: Offset
  readonly lastStableOffset: Offset
  /** Where the three above are not always as they are now: asks for them. */
  refresh?(): Promise<unknown>
  /** The first record of at least this timestamp; null where there is none. */
  offsetForTimestamp(timestamp: Timestamp): Promise<{ readonly offset: Offset } | null>
  reader(options: BatchReaderOptions): BatchSource
}

/** A partition that can be read. */
export interface ReadablePartition extends TopicPartition {
  readonly settings: { readonly recordTtlMs: number }
  /** Throws why it cannot be read. */
  readonly log: ReadableLog
  /** Whether it cannot be read now, though the topic is there: it may come back. */
  readonly isMissing: boolean
  /** Whether nothing has failed. */
  readonly isUsable: boolean
}

import type { Offset, RecordHeader, Timestamp } from '@varve/record'
import type { TopicPartition } from '../base/topic-partition.ts'

/** A record where it was read, in bytes. */
export interface RawRecord extends TopicPartition {
  readonly offset: Offset
  readonly timestamp: Timestamp
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

import type { Offset, VarveError } from '@varve/record'
import type { ResolvedTopicSettings } from './topic-settings.ts'

/** A partition as it is now. */
export interface PartitionDescription {
  readonly partition: number
  /** The first offset that can be read. */
  readonly logStartOffset: Offset
  /** The offset after the last visible record. */
  readonly highWatermark: Offset
  /** Below it every transaction is decided. */
  readonly lastStableOffset: Offset
  /** Why the partition cannot be used, null where it can. Then the numbers above are 0. */
  readonly error: VarveError | null
}

/** A topic as it is now. */
export interface TopicDescription {
  readonly name: string
  /** Kafka's notation of a UUID: 22 characters. */
  readonly topicId: string
  /** Whether it is one of Kafka's own, which programs only read. */
  readonly isInternal: boolean
  /** With defaults filled in. */
  readonly settings: ResolvedTopicSettings
  readonly partitions: readonly PartitionDescription[]
}

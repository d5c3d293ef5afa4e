import type { Acks, AppendResult, Clock } from '@varve/log'
import type { RecordBatch } from '@varve/record'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { ResolvedTopicSettings } from '../base/topic-settings.ts'
import type { ProducerIdentity } from './producer-identity.ts'

// What producers need of the place where the topics are: a data directory, or a cluster.

/** A partition that can be sent to. */
export interface TargetPartition extends TopicPartition {
  /** What of its topic's settings concerns batches. */
  readonly settings: Pick<
    ResolvedTopicSettings,
    | 'maxMessageBytes'
    | 'segmentBytes'
    | 'compressionType'
    | 'messageTimestampType'
    | 'messageTimestampBeforeMaxMs'
    | 'messageTimestampAfterMaxMs'
  >
  /** Whether it can be appended to, as far as is known. */
  readonly isUsable: boolean
}

/** A topic that can be sent to. */
export interface TargetTopic {
  readonly name: string
  readonly isDeleted: boolean
  readonly partitions: readonly TargetPartition[]
  /** Throws TopicNotFoundError. */
  partition(partition: number): TargetPartition
}

export interface DeliveryOptions {
  readonly clock: Clock
  readonly acks: Acks
  readonly deliveryTimeoutMs: number
}

/** Brings one producer's batches to one partition, in order. */
export interface BatchDelivery {
  /** The sequence number with which the next batch should be built; -1 where they have none. */
  readonly nextSequence: number
  deliver(batch: RecordBatch): Promise<AppendResult>
  /** Gives up what waits. */
  abandon(error: unknown): void
}

/** What all producers of one place have in common. */
export interface ProducingContext {
  readonly clock: Clock
  /** 0 to 1. */
  readonly random: () => number
  /** Throws, or rejects with, TopicNotFoundError. At once where that is possible. */
  topic(name: string): TargetTopic | Promise<TargetTopic>
  delivery(
    place: TopicPartition,
    identity: ProducerIdentity,
    options: DeliveryOptions,
  ): BatchDelivery
  /** See `lastSourceOffset` of source-offsets.ts. */
  lastSourceOffset(place: TopicPartition, identity: ProducerIdentity): Promise<number>
}

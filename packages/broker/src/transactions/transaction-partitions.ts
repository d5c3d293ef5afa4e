import {
  InvalidProducerEpochError,
  type Log,
  LogClosedError,
  TransactionCoordinatorFencedError,
} from '@varve/log'
import { endTransactionMarkerBatch, type Timestamp } from '@varve/record'
import type { Logger } from '../base/logger.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { ProducerIdentity } from '../producing/producer-identity.ts'
import type { Topic } from '../topics/topic.ts'
import type { Topics } from '../topics/topics.ts'

/** How a producer's transaction ended, and when that was decided. */
export interface Decision extends ProducerIdentity {
  readonly type: 'commit' | 'abort'
  /** So a marker says which decision it carries out. */
  readonly timestamp: Timestamp
}

/** A log that knows of a transaction that has no end. */
export interface OpenTransactionOf extends TopicPartition {
  readonly producerId: number
}

/** Tells a partition what was decided, durably. Told again it stays as it is. */
export async function markPartition(
  topics: Topics,
  place: TopicPartition,
  decision: Decision,
): Promise<void> {
  const found = logOf(topics, place)
  if (found === null) return
  const { topic, log } = found
  const known = log.producer(decision.producerId)
  const coordinatorEpoch = Math.max(known?.coordinatorEpoch ?? 0, 0)
  try {
    const batch = endTransactionMarkerBatch({ ...decision, coordinatorEpoch })
    await log.appendBatch(batch, { origin: 'coordinator', acks: 'flushed' })
  } catch (error) {
    // A newer marker is there: the partition was told in an earlier life, and much since.
    const isTold =
      error instanceof InvalidProducerEpochError ||
      error instanceof TransactionCoordinatorFencedError
    // The topic was deleted meanwhile.
    if (isTold || (error instanceof LogClosedError && topic.isDeleted)) return
    throw error
  }
}

/** Makes everything durable that has been appended to partitions. */
export async function flushPartitions(
  topics: Topics,
  places: Iterable<TopicPartition>,
): Promise<void> {
  await Promise.all(Array.from(places, (place) => logOf(topics, place)?.log.flush()))
}

/** The transactions without an end that logs know of, where they can be appended to. */
export function* openTransactionsOf(
  topics: Topics,
  isKnown: (producerId: number) => boolean,
  logger: Logger,
): Generator<OpenTransactionOf, void, undefined> {
  for (const { partitions } of topics.all) {
    for (const { topic, partition, isUsable, openLog } of partitions) {
      if (!isUsable || openLog === null) continue
      for (const { producerId, currentTransactionFirstOffset } of openLog.producers()) {
        if (currentTransactionFirstOffset === null) continue
        if (isKnown(producerId)) yield { topic, partition, producerId }
        else {
          const firstOffset = currentTransactionFirstOffset
          const fields = { log: openLog.name, producerId, firstOffset }
          logger.warn(fields, 'an open transaction that nobody knows')
        }
      }
    }
  }
}

/** Null for a topic or partition that is gone. Throws what keeps the log from being open. */
function logOf(
  topics: Topics,
  { topic: name, partition }: TopicPartition,
): { readonly topic: Topic; readonly log: Log } | null {
  const topic = topics.find(name)
  if (topic === null || partition >= topic.partitions.length) return null
  return { topic, log: topic.partition(partition).log }
}

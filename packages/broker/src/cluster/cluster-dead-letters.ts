import type { RecordInput } from '@varve/record'
import { TopicExistsError, TopicNotFoundError } from '../base/broker-errors.ts'
import { type DeadLetterSink, deadLetterSink } from '../handling/dead-letter-sink.ts'
import { deadLetterSettings } from '../handling/dead-letter-topics.ts'
import type { Producer } from '../producing/producer.ts'
import type { Cluster } from './cluster.ts'
import type { ClusterTopics } from './cluster-topics.ts'
import type { TopicAdministration } from './topic-administration.ts'

export interface ClusterDeadLetterContext {
  readonly cluster: Cluster
  readonly topics: ClusterTopics
  readonly administration: TopicAdministration
  /** Made when the first of them has to be sent. */
  readonly producer: () => Producer
}

/**
 * Takes what could not be handled into topics of a cluster, which are made when the first record
 * goes there.
 *
 * @param topic where all of them go; null for `<topic>.dead-letter`, after each record's own
 */
export function clusterDeadLetters(
  context: ClusterDeadLetterContext,
  topic: string | null,
): DeadLetterSink {
  let producer: Producer | null = null
  return deadLetterSink({
    append: async (to: string, record: RecordInput) => {
      await ensureTopic(context, to)
      producer ??= context.producer()
      await producer.send(to, record, record.key === null ? { partition: 0 } : {})
    },
    clock: context.cluster.clock,
    ...(topic !== null && { topicOf: () => topic }),
  })
}

async function ensureTopic(context: ClusterDeadLetterContext, name: string): Promise<void> {
  try {
    await context.topics.topic(name)
  } catch (error) {
    if (!(error instanceof TopicNotFoundError)) throw error
    await context.administration.create(name, 1, -1, deadLetterSettings).catch((failure) => {
      // Somebody was faster.
      if (!(failure instanceof TopicExistsError)) throw failure
    })
  }
}

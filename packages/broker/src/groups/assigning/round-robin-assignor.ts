import type { TopicPartition } from '../../base/topic-partition.ts'
import { type Assignor, byKafkaOrder, type GroupAssignment, subscribedTopics } from './assignor.ts'

/**
 * All partitions of all topics in order are dealt out to the members in order, passing over those
 * that do not subscribe to the topic. Kafka's RoundRobinAssignor.
 */
export const roundRobinAssignor: Assignor = {
  name: 'roundrobin',
  rebalanceProtocol: 'eager',
  assign(counts, members): GroupAssignment {
    const assignment = new Map<string, TopicPartition[]>()
    for (const { memberId } of members) assignment.set(memberId, [])
    const ordered = [...members].sort(byKafkaOrder)
    const topicsOf = new Map(ordered.map(({ memberId, topics }) => [memberId, new Set(topics)]))
    let turn = 0
    const nextReader = (topic: string): string => {
      for (;;) {
        const memberId = ordered[turn % ordered.length]?.memberId ?? ''
        turn += 1
        // The topic is one that a member subscribes to, so the search ends.
        if (topicsOf.get(memberId)?.has(topic) === true) return memberId
      }
    }
    for (const topic of subscribedTopics(members)) {
      for (let partition = 0; partition < (counts.get(topic) ?? 0); partition++) {
        assignment.get(nextReader(topic))?.push({ topic, partition })
      }
    }
    return assignment
  },
}

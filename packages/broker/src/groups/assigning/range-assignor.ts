import type { TopicPartition } from '../../base/topic-partition.ts'
import { type Assignor, byKafkaOrder, type GroupAssignment, subscribedTopics } from './assignor.ts'

/**
 * Each topic is cut into ranges of neighbouring partitions, one a member; the first members get one
 * more where it does not come out even. Partitions of the same number in topics of the same size go
 * to the same member. Kafka's RangeAssignor, without racks.
 */
export const rangeAssignor: Assignor = {
  name: 'range',
  rebalanceProtocol: 'eager',
  assign(counts, members): GroupAssignment {
    const assignment = new Map<string, TopicPartition[]>()
    for (const { memberId } of members) assignment.set(memberId, [])
    const ordered = [...members].sort(byKafkaOrder)
    for (const topic of subscribedTopics(members)) {
      const readers = ordered.filter((member) => member.topics.includes(topic))
      const count = counts.get(topic) ?? 0
      const each = Math.floor(count / readers.length)
      const withOneMore = count % readers.length
      let partition = 0
      readers.forEach(({ memberId }, index) => {
        const end = partition + each + (index < withOneMore ? 1 : 0)
        for (; partition < end; partition++) assignment.get(memberId)?.push({ topic, partition })
      })
    }
    return assignment
  },
}

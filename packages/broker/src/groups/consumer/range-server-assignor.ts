import { byKafkaOrder } from '../assigning/assignor.ts'
import type { AssigningGroup } from './server-assignor.ts'

/**
 * Kafka's server-side `range`: of each topic, a member gets a range of partitions as long as the
 * others', the first ones one more; topics of equal numbers of partitions fall alike, so that they
 * can be joined. Static members come first, by their names.
 */
export function assignRanges(group: AssigningGroup): Map<string, Map<string, Set<number>>> {
  const { members, partitionCount } = group
  const inOrder = [...members].sort(byKafkaOrder)
  const readers = new Map<string, number>()
  for (const { topicIds } of inOrder) {
    for (const topicId of topicIds) readers.set(topicId, (readers.get(topicId) ?? 0) + 1)
  }
  const dealt = new Map<string, { readers: number; partitions: number }>()
  return new Map(
    inOrder.map(({ memberId, topicIds }) => {
      const target = new Map<string, Set<number>>()
      for (const topicId of topicIds) {
        const count = partitionCount(topicId)
        const before = dealt.get(topicId) ?? { readers: 0, partitions: 0 }
        const left = (readers.get(topicId) ?? 1) - before.readers
        const size = Math.ceil((count - before.partitions) / left)
        const part = Array.from({ length: size }, (_, index) => before.partitions + index)
        if (size > 0) target.set(topicId, new Set(part))
        dealt.set(topicId, { readers: before.readers + 1, partitions: before.partitions + size })
      }
      return [memberId, target]
    }),
  )
}

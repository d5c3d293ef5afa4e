import type { TopicPartition } from '../base/topic-partition.ts'
import { lastSourceOffsetIn } from '../producing/source-offsets.ts'
import type { Cluster } from './cluster.ts'
import { ClusterFetcher } from './cluster-fetcher.ts'
import { ClusterLog } from './cluster-log.ts'
import type { ClusterTopics } from './cluster-topics.ts'

const readBytes = 2 ** 20

/**
 * The last source offset that a producer has sent to a partition; -1 where it holds none. The
 * broker knows when the producer wrote last: the partition is read from there, and from its start
 * where the producer has been forgotten.
 */
export async function lastClusterSourceOffset(
  cluster: Cluster,
  topics: ClusterTopics,
  place: TopicPartition,
  producerId: number,
): Promise<number> {
  const partition = await topics.partition(place)
  const fetcher = new ClusterFetcher(cluster, 'uncommitted')
  const log = new ClusterLog({ cluster, topics, fetcher }, partition)
  try {
    await log.refresh()
    const lastMs = await log.asking('looking for a producer', () => {
      return lastTimestampOf(cluster, partition.leader, place, producerId)
    })
    const found = lastMs === null ? null : await log.offsetForTimestamp(lastMs)
    const signal = new AbortController().signal
    const reader = log.reader({
      from: found?.offset ?? log.logStartOffset,
      ...{ isolation: 'uncommitted', follow: false, maxBytes: readBytes, signal },
    })
    let last = -1
    for (let batches = await reader.nextBatches(); batches !== null; ) {
      for (const batch of batches) {
        const isTheirs = batch.producerId === producerId && !batch.isControl
        if (isTheirs) last = Math.max(last, lastSourceOffsetIn(batch))
      }
      batches = await reader.nextBatches()
    }
    return last
  } finally {
    await fetcher.close()
  }
}

/** Of a producer's newest batch; null where the broker has forgotten it. */
async function lastTimestampOf(
  cluster: Cluster,
  leader: number,
  { topic, partition }: TopicPartition,
  producerId: number,
): Promise<number | null> {
  const { api } = cluster.client.describeProducersV0
  const answer = await cluster.on(leader, (connection) => {
    return api.async(connection, [{ name: topic, partitionIndexes: [partition] }])
  })
  const producers = answer.topics[0]?.partitions[0]?.activeProducers ?? []
  const found = producers.find((each) => Number(each.producerId) === producerId)
  return found === undefined ? null : Number(found.lastTimestamp)
}

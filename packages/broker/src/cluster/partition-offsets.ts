import type { Isolation } from '@varve/log'
import type { Offset, Timestamp } from '@varve/record'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { Cluster } from './cluster.ts'
import { ClusterRefusedError } from './cluster-errors.ts'
import type { KafkaClient } from './kafka-client.ts'
import { BrokerAwayError } from './kafka-failures.ts'

/** Kafka's ListOffsets: instead of a timestamp. */
export const earliest = -2
export const latest = -1

/**
 * The offset of the first record of at least a timestamp; -1 where there is none. Of `earliest` the
 * first, of `latest` the end, at an isolation. Asked once of the leader.
 */
export async function listOffset(
  cluster: Cluster,
  leader: number,
  { topic, partition }: TopicPartition,
  timestamp: Timestamp,
  isolation: Isolation,
): Promise<{ readonly offset: Offset }> {
  const api = listOffsetsOf(cluster)
  const place = {
    partitionIndex: partition,
    currentLeaderEpoch: -1,
    timestamp: BigInt(timestamp),
  }
  const answer = await cluster.on(leader, (connection) => {
    const level = isolation === 'committed' ? 1 : 0
    return api.async(connection, -1, level, [{ name: topic, partitions: [place] }])
  })
  const found = answer.topics[0]?.partitions[0]
  if (found === undefined) throw new BrokerAwayError('the broker did not answer what was asked')
  if (found.errorCode !== 0) throw new ClusterRefusedError(found.errorCode, 'ListOffsets', '')
  return { offset: Number(found.offset) }
}

/** The form of the request that the brokers know. Throws ClusterUnsupportedError. */
export function listOffsetsOf(cluster: Cluster): KafkaClient['listOffsetsV9']['api'] {
  const { listOffsetsV9, listOffsetsV8, listOffsetsV7 } = cluster.client
  return cluster.version('ListOffsets', [listOffsetsV9.api, listOffsetsV8.api, listOffsetsV7.api])
}

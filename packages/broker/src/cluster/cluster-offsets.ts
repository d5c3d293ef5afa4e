import { partitionName, type TopicPartition } from '../base/topic-partition.ts'
import type { CommittedOffset } from '../consuming/committed-offsets.ts'
import type { Cluster } from './cluster.ts'
import { groupErrorOf } from './group-failures.ts'
import type { KafkaClient, OffsetFetchAnswer } from './kafka-client.ts'

/**
 * What a group has committed of each partition, in their order; null where nothing. Waits for
 * transactions that may yet change it.
 */
export async function fetchOffsets(
  cluster: Cluster,
  group: string,
  partitions: readonly TopicPartition[],
): Promise<ReadonlyArray<CommittedOffset | null>> {
  if (partitions.length === 0) return []
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    topics.set(topic, [...(topics.get(topic) ?? []), partition])
  }
  const asked = [...topics].map(([name, partitionIndexes]) => ({ name, partitionIndexes }))
  const found = new Map(
    committedOf(await ask(cluster, group, asked)).map((each) => [partitionName(each), each]),
  )
  return partitions.map((place) => found.get(partitionName(place)) ?? null)
}

/** Everything that a group has committed, by topic and partition. */
export async function allOffsets(
  cluster: Cluster,
  group: string,
): Promise<readonly CommittedOffset[]> {
  return committedOf(await ask(cluster, group, null))
}

/** What an answer tells of groups, by topic and partition. */
export function committedOf(answers: OffsetFetchAnswer['groups']): readonly CommittedOffset[] {
  const offsets = answers
    .flatMap((each) => each.topics)
    .flatMap(({ name, partitions }) => {
      return partitions
        .filter(({ committedOffset }) => committedOffset >= 0n)
        .map((each) => ({
          ...{ topic: name, partition: each.partitionIndex, offset: Number(each.committedOffset) },
          metadata: each.metadata ?? '',
          leaderEpoch: each.committedLeaderEpoch,
        }))
    })
  return offsets.sort((one, other) => {
    return one.topic < other.topic
      ? -1
      : one.topic > other.topic
        ? 1
        : one.partition - other.partition
  })
}

/** The form of the request that the brokers know. Throws ClusterUnsupportedError. */
export function offsetFetchOf(cluster: Cluster): KafkaClient['offsetFetchV9']['api'] {
  const { offsetFetchV9, offsetFetchV8 } = cluster.client
  return cluster.version('OffsetFetch', [
    offsetFetchV9.api,
    offsetFetchV8.api as unknown as typeof offsetFetchV9.api,
  ])
}

async function ask(
  cluster: Cluster,
  groupId: string,
  topics: ReadonlyArray<{ name: string; partitionIndexes: number[] }> | null,
): Promise<OffsetFetchAnswer['groups']> {
  const api = offsetFetchOf(cluster)
  const request = { groupId, memberId: null, memberEpoch: -1, topics: topics as never }
  let answer: OffsetFetchAnswer
  try {
    answer = await cluster.retrying(`reading the offsets of group '${groupId}'`, () => {
      return cluster.onCoordinator('group', groupId, (connection) =>
        api.async(connection, [request], true),
      )
    })
  } catch (error) {
    throw groupErrorOf(error, groupId)
  }
  return answer.groups
}

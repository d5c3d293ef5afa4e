import { partitionName, type TopicPartition } from '../base/topic-partition.ts'
import type { TopicSettings } from '../base/topic-settings.ts'
import type { ResettableLog } from '../groups/offset-reset.ts'
import type { ListedTopic } from '../topics/topic-listing.ts'
import type { Cluster } from './cluster.ts'
import { ClusterFetcher } from './cluster-fetcher.ts'
import { ClusterLog } from './cluster-log.ts'
import { logSizes } from './cluster-log-sizes.ts'
import { readGivenSettings } from './cluster-settings.ts'
import type { ClusterTopics } from './cluster-topics.ts'
import type { TopicAdministration } from './topic-administration.ts'

// What operators look at in a cluster, beyond what programs need.

/** A topic of a cluster; its settings are null where the brokers do not tell them. */
export interface ListedClusterTopic extends Omit<ListedTopic, 'settings'> {
  readonly settings: TopicSettings | null
}

/** All topics, by name, with the settings that they were given. */
export async function listClusterTopics({
  cluster,
  administration,
}: {
  readonly cluster: Cluster
  readonly administration: TopicAdministration
}): Promise<readonly ListedClusterTopic[]> {
  const topics = await administration.list()
  const given = await readGivenSettings(
    cluster,
    topics.map(({ name }) => name),
  )
  return topics.map((topic) => ({ ...topic, settings: given.get(topic.name) ?? null }))
}

/**
 * A partition's offsets as they are now. Rejects with TopicNotFoundError, ClusterRefusedError,
 * ClusterUnavailableError.
 */
export async function lookAtPartition(
  { cluster, topics }: { readonly cluster: Cluster; readonly topics: ClusterTopics },
  place: TopicPartition,
): Promise<ResettableLog> {
  // Fetches nothing here, and so connects to nobody.
  const fetcher = new ClusterFetcher(cluster, 'uncommitted')
  const log = new ClusterLog({ cluster, topics, fetcher }, await topics.partition(place))
  await log.refresh()
  return log
}

/**
 * What each partition of a topic takes on the disks of the broker that has most of it, in bytes;
 * null where the brokers do not tell: it takes a right of its own (describe the cluster).
 */
export async function partitionSizes(
  cluster: Cluster,
  topic: string,
  partitions: number,
): Promise<ReadonlyMap<number, number> | null> {
  const asked = [{ name: topic, partitions: Array.from({ length: partitions }, (_, at) => at) }]
  const sizes = await logSizes(cluster, asked)
  if (sizes === null) return null
  const found = asked[0]?.partitions.flatMap((partition) => {
    const size = sizes.get(partitionName({ topic, partition }))
    return size === undefined ? [] : [[partition, size] as const]
  })
  return new Map(found)
}

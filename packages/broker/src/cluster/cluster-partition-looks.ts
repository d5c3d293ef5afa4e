import { VarveError } from '@varve/record'
import { partitionName as nameOf, type TopicPartition as Place } from '../base/topic-partition.ts'
import type { Cluster } from './cluster.ts'
import { logSizes } from './cluster-log-sizes.ts'
import type { MetadataTopic } from './kafka-client.ts'
import { BrokerAwayError, whole } from './kafka-failures.ts'
import { earliest, latest, listOffsetsOf } from './partition-offsets.ts'

/** A partition of a cluster as its leader tells it. */
export interface ClusterPartitionLook {
  readonly partition: number
  /** 0 where there is an error, as `highWatermark`. */
  readonly logStartOffset: number
  readonly highWatermark: number
  /** On the disks of the broker that has most of it; null where the brokers do not tell. */
  readonly sizeBytes: number | null
  /** Why it cannot be looked at; null where it can. */
  readonly error: string | null
}

export interface ClusterTopicLook {
  readonly name: string
  readonly isInternal: boolean
  readonly partitions: readonly ClusterPartitionLook[]
}

/** So many places in a request. */
const placesAtOnce = 1000
/** Kafka's isolation level. */
const uncommitted = 0

/**
 * All topics with their partitions, by name: each broker is asked about many partitions at once.
 * What one of them refuses, or a partition without a leader, stands with it. Rejects with
 * ClusterUnavailableError where no broker can be reached.
 */
export async function lookAtClusterTopics(cluster: Cluster): Promise<readonly ClusterTopicLook[]> {
  const { topics } = await cluster.retrying('listing topics', () => cluster.metadata(null))
  const all = topics
    .map((topic) => ({ ...topic, name: topic.name ?? '' }))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
  const [starts, ends, sizes] = await Promise.all([
    offsetsOf(cluster, all, earliest),
    offsetsOf(cluster, all, latest),
    sizesOf(cluster, all),
  ])
  return all.map(({ name, isInternal, partitions }) => {
    const looks = partitions.map(({ partitionIndex: partition }) => {
      const place = nameOf({ topic: name, partition })
      const [start, end] = [starts.get(place), ends.get(place)]
      const sizeBytes = sizes === null ? null : (sizes.get(place) ?? 0)
      if (typeof start === 'number' && typeof end === 'number') {
        return { partition, logStartOffset: start, highWatermark: end, sizeBytes, error: null }
      }
      const error = [start, end].find((each) => typeof each === 'string') ?? 'it has no leader'
      const none = { logStartOffset: 0, highWatermark: 0, sizeBytes }
      return { partition, ...none, error: `${name}-${partition}: ${error}` }
    })
    looks.sort((one, other) => one.partition - other.partition)
    return { name, isInternal, partitions: looks }
  })
}

/** Of each partition an offset, or why it is not told. */
async function offsetsOf(
  cluster: Cluster,
  topics: readonly MetadataTopic[],
  timestamp: number,
): Promise<ReadonlyMap<string, number | string>> {
  const found = new Map<string, number | string>()
  for (const [leader, places] of byLeader(topics)) {
    for (let first = 0; first < places.length; first += placesAtOnce) {
      const some = places.slice(first, first + placesAtOnce)
      try {
        for (const [name, offset] of await askOffsets(cluster, leader, some, timestamp)) {
          found.set(name, offset)
        }
      } catch (error) {
        const isOfThese = error instanceof BrokerAwayError || error instanceof VarveError
        if (!isOfThese) throw error
        for (const place of some) found.set(nameOf(place), error.message)
      }
    }
  }
  return found
}

async function askOffsets(
  cluster: Cluster,
  leader: number,
  places: readonly Place[],
  timestamp: number,
): Promise<ReadonlyArray<readonly [string, number | string]>> {
  const api = listOffsetsOf(cluster)
  const asked = partitionsByTopic(places).map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((partitionIndex) => {
      return { partitionIndex, currentLeaderEpoch: -1, timestamp: BigInt(timestamp) }
    }),
  }))
  const { topics } = await cluster.on(leader, (connection) => {
    return whole(api.async(connection, -1, uncommitted, asked))
  })
  const { protocolErrorsCodesById: names } = cluster.client
  return topics.flatMap(({ name, partitions }) => {
    return partitions.map(({ partitionIndex, errorCode, offset }) => {
      const told = errorCode === 0 ? Number(offset) : String(names[errorCode] ?? errorCode)
      return [nameOf({ topic: name, partition: partitionIndex }), told] as const
    })
  })
}

/** In bytes; null where the brokers do not tell: it takes a right of its own. */
async function sizesOf(
  cluster: Cluster,
  topics: readonly MetadataTopic[],
): Promise<ReadonlyMap<string, number> | null> {
  const places = [...byLeader(topics).values()].flat()
  const sizes = new Map<string, number>()
  for (let first = 0; first < places.length; first += placesAtOnce) {
    const asked = partitionsByTopic(places.slice(first, first + placesAtOnce))
    const some = await logSizes(cluster, asked)
    if (some === null) return null
    for (const [name, size] of some) sizes.set(name, size)
  }
  return sizes
}

function byLeader(topics: readonly MetadataTopic[]): ReadonlyMap<number, readonly Place[]> {
  const places = new Map<number, Place[]>()
  for (const { name, partitions } of topics) {
    for (const { partitionIndex: partition, leaderId } of partitions) {
      const place = { topic: name ?? '', partition }
      if (leaderId < 0) continue
      const others = places.get(leaderId)
      if (others === undefined) places.set(leaderId, [place])
      else others.push(place)
    }
  }
  return places
}

function partitionsByTopic(
  places: readonly Place[],
): ReadonlyArray<{ readonly name: string; readonly partitions: number[] }> {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of places) {
    const others = byTopic.get(topic)
    if (others === undefined) byTopic.set(topic, [partition])
    else others.push(partition)
  }
  return [...byTopic].map(([name, partitions]) => ({ name, partitions }))
}

import type { ClusterVarve } from '@varve/broker'
import {
  type ClusterTopicLook,
  describeClusterGroups,
  lookAtClusterTopics,
} from '@varve/broker/serving'
import type { ClusterPlace } from '../cluster/client-properties.ts'
import { openCluster, partsOf } from '../cluster/open-cluster.ts'
import { type EndLooks, progressOf, sumOfLags } from '../group/group-progress.ts'
import type { GroupStats, LookedTopic, StatsSource } from './stats-source.ts'

/** Looks at a server, Varve's or Kafka's. */
export class ClusterStats implements StatsSource {
  readonly #varve: ClusterVarve
  readonly #internal: boolean

  private constructor(varve: ClusterVarve, internal: boolean) {
    this.#varve = varve
    this.#internal = internal
  }

  /** Rejects as `openCluster` does. */
  static async open(place: ClusterPlace, internal: boolean): Promise<ClusterStats> {
    return new ClusterStats(await openCluster(place), internal)
  }

  /** Rejects with ClusterUnavailableError, ClusterRefusedError. */
  async look(): ReturnType<StatsSource['look']> {
    const { cluster } = partsOf(this.#varve)
    // A group may have committed offsets of any of them.
    const all = await lookAtClusterTopics(cluster)
    const topics = all.filter(({ isInternal }) => this.#internal || !isInternal).map(topicOf)
    const looks = endsOf(all)
    const groups: GroupStats[] = []
    for (const described of await describeClusterGroups(cluster)) {
      const lag = sumOfLags(await progressOf(described, looks))
      groups.push({ group: described.group, lag })
    }
    return { topics, groups }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#varve.close()
  }
}

function topicOf({ name: topic, partitions }: ClusterTopicLook): LookedTopic {
  const errors = partitions.flatMap(({ error }) => (error === null ? [] : [error]))
  let [records, end] = [0, 0]
  let sizeBytes: number | null = 0
  for (const seen of partitions) {
    records += seen.highWatermark - seen.logStartOffset
    end += seen.highWatermark
    sizeBytes = sizeBytes === null || seen.sizeBytes === null ? null : sizeBytes + seen.sizeBytes
  }
  return { topic, partitions: partitions.length, records, sizeBytes, end, errors }
}

function endsOf(topics: readonly ClusterTopicLook[]): EndLooks {
  const ends = new Map(
    topics.flatMap(({ name, partitions }) => {
      return partitions.map((look) => [`${name}-${look.partition}`, look] as const)
    }),
  )
  const gone = { highWatermark: 0, error: 'it is not there' }
  return { look: async (topic, partition) => ends.get(`${topic}-${partition}`) ?? gone }
}

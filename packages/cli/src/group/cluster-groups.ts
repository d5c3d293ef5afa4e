import type {
  ClusterVarve,
  GroupAdministration,
  GroupDescription,
  ResetTarget,
  TopicPartition,
} from '@varve/broker'
import { describeClusterGroups, lookAtPartition } from '@varve/broker/serving'
import { VarveError } from '@varve/record'
import type { ClusterPlace } from '../cluster/client-properties.ts'
import { openCluster, partsOf } from '../cluster/open-cluster.ts'
import type { GroupHome, ShownGroup } from './group-home.ts'
import type { EndLooks } from './group-progress.ts'
import { committedAmong, type ResetStep, stepsOf } from './reset-steps.ts'

type End = Awaited<ReturnType<EndLooks['look']>>

/** The groups of a server, Varve's or Kafka's. */
export class ClusterGroups implements GroupHome {
  readonly #varve: ClusterVarve
  readonly #groups: GroupAdministration
  /** Each partition's is asked once. */
  readonly #ends = new Map<string, Promise<End>>()

  private constructor(varve: ClusterVarve, groups: GroupAdministration) {
    this.#varve = varve
    this.#groups = groups
  }

  /** Rejects as `openCluster` does. */
  static async open(place: ClusterPlace): Promise<ClusterGroups> {
    const varve = await openCluster(place)
    return new ClusterGroups(varve, await varve.groups())
  }

  get looks(): EndLooks {
    return {
      look: (topic, partition) => {
        const name = `${topic}:${partition}`
        const end = this.#ends.get(name) ?? this.#end({ topic, partition })
        this.#ends.set(name, end)
        return end
      },
    }
  }

  async all(): Promise<readonly ShownGroup[]> {
    return (await describeClusterGroups(partsOf(this.#varve).cluster)).map(shown)
  }

  async group(name: string): Promise<ShownGroup> {
    return shown(await this.#groups.describe(name))
  }

  async partitionCount(topic: string): Promise<number> {
    return (await partsOf(this.#varve).topics.topic(topic)).partitions.length
  }

  async planReset(
    group: string,
    places: readonly TopicPartition[],
    target: ResetTarget,
  ): Promise<readonly ResetStep[]> {
    const { offsets } = await this.#groups.describe(group)
    return stepsOf(places, target, {
      committed: committedAmong(offsets),
      withLog: async (place, use) => use(await lookAtPartition(partsOf(this.#varve), place)),
    })
  }

  async reset(
    group: string,
    places: readonly TopicPartition[],
    target: ResetTarget,
  ): Promise<readonly ResetStep[]> {
    const steps = await this.planReset(group, places, target)
    await this.#groups.resetOffsets(
      group,
      steps.map(({ topic, partition, newOffset: offset }) => ({ topic, partition, offset })),
    )
    return steps
  }

  async delete(group: string): Promise<number> {
    const { offsets } = await this.#groups.describe(group)
    await this.#groups.delete(group)
    return offsets.length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#varve.close()
  }

  async #end(place: TopicPartition): Promise<End> {
    try {
      const { highWatermark } = await lookAtPartition(partsOf(this.#varve), place)
      return { highWatermark, error: null }
    } catch (error) {
      // Its topic may be gone, or be none of this user's business: the others count.
      if (!(error instanceof VarveError)) throw error
      return { highWatermark: 0, error: error.message }
    }
  }
}

function shown({ group, protocolType, state, members, offsets }: GroupDescription): ShownGroup {
  const ids = members.map(({ memberId }) => memberId)
  return { group, protocolType, generation: null, state, members: ids, offsets }
}

import { GroupListing, listTopics } from '@varve/broker'
import { progressOf, sumOfLags } from '../group/group-progress.ts'
import { type Looks, lookingOnce, PartitionLooks } from './partition-looks.ts'
import type { GroupStats, LookedTopic, StatsSource } from './stats-source.ts'

/** Looks at a data directory, without a lock. */
export class DirectoryStats implements StatsSource {
  readonly #data: string
  readonly #internal: boolean
  readonly #looks: PartitionLooks
  #groups: GroupListing | null = null

  /** @param internal Kafka's own topics too */
  constructor(data: string, internal: boolean) {
    this.#data = data
    this.#internal = internal
    this.#looks = new PartitionLooks(data)
  }

  /** Rejects with LogNotFoundError when there is no such directory. */
  async look(): ReturnType<StatsSource['look']> {
    const topics: LookedTopic[] = []
    const looks = lookingOnce(this.#looks)
    for (const { name, partitions, isInternal } of listTopics(this.#data)) {
      if (isInternal && !this.#internal) continue
      topics.push(await lookAt(looks, name, partitions))
    }
    return { topics, groups: await this.#lookAtGroups(looks) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#groups?.close()
    await this.#looks.close()
  }

  async #lookAtGroups(looks: Looks): Promise<readonly GroupStats[]> {
    if (this.#groups === null || this.#groups.groups.length === 0) {
      // The first group may have come since.
      await this.#groups?.close()
      this.#groups = await GroupListing.open(this.#data)
    } else {
      await this.#groups.refresh()
    }
    const stats: GroupStats[] = []
    for (const group of this.#groups.groups) {
      const lag = sumOfLags(await progressOf(group, looks))
      stats.push({ group: group.group, lag })
    }
    return stats
  }
}

async function lookAt(looks: Looks, topic: string, partitions: number): Promise<LookedTopic> {
  const errors: string[] = []
  let [records, sizeBytes, end] = [0, 0, 0]
  for (let partition = 0; partition < partitions; partition++) {
    const seen = await looks.look(topic, partition)
    if (seen.error !== null) errors.push(seen.error)
    records += seen.highWatermark - seen.logStartOffset
    sizeBytes += seen.sizeBytes
    end += seen.highWatermark
  }
  return { topic, partitions, records, sizeBytes, end, errors }
}

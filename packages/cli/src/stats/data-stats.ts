import { GroupListing, listTopics } from '@varve/broker'
import { progressOf, sumOfLags } from '../group/group-progress.ts'
import { ratePerSecond } from '../human.ts'
import { type Looks, lookingOnce, PartitionLooks } from './partition-looks.ts'

/** A topic as it stood when it was looked at. */
export interface TopicStats {
  readonly topic: string
  readonly partitions: number
  /** Offsets between the start of its logs and their ends; compaction and markers leave fewer. */
  readonly records: number
  readonly sizeBytes: number
  /** Appended since the look before; null the first time. */
  readonly recordsPerSecond: number | null
  /** Partitions that cannot be read, and why. */
  readonly errors: readonly string[]
}

export interface GroupStats {
  readonly group: string
  readonly lag: number
}

export interface DataStats {
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly topics: readonly TopicStats[]
  readonly groups: readonly GroupStats[]
}

/** The moment of a look, by the clock and by what measures durations. */
export interface Moment {
  readonly now: number
  readonly monotonic: number
}

/**
 * Looks at a data directory, again and again: without a lock, without writing. What a look shows of
 * its topics and groups is what is there by then.
 */
export class StatsWatch implements AsyncDisposable {
  readonly #data: string
  readonly #internal: boolean
  readonly #looks: PartitionLooks
  #groups: GroupListing | null = null
  /** Of each topic, where its logs ended together. */
  #ends = new Map<string, number>()
  #lookedMs: number | null = null

  /** @param internal Kafka's own topics too */
  constructor(data: string, internal: boolean) {
    this.#data = data
    this.#internal = internal
    this.#looks = new PartitionLooks(data)
  }

  /** Rejects with LogNotFoundError when there is no such directory. */
  async look({ now, monotonic }: Moment): Promise<DataStats> {
    const elapsedMs = this.#lookedMs === null ? null : monotonic - this.#lookedMs
    const ends = new Map<string, number>()
    const topics: TopicStats[] = []
    const looks = lookingOnce(this.#looks)
    for (const { name, partitions, isInternal } of listTopics(this.#data)) {
      if (isInternal && !this.#internal) continue
      topics.push(await this.#lookAt(looks, { name, partitions, elapsedMs }, ends))
    }
    this.#ends = ends
    this.#lookedMs = monotonic
    return { timestamp: now, topics, groups: await this.#lookAtGroups(looks) }
  }

  async close(): Promise<void> {
    await this.#groups?.close()
    await this.#looks.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #lookAt(
    looks: Looks,
    {
      name: topic,
      partitions,
      elapsedMs,
    }: {
      readonly name: string
      readonly partitions: number
      readonly elapsedMs: number | null
    },
    ends: Map<string, number>,
  ): Promise<TopicStats> {
    const errors: string[] = []
    let [records, sizeBytes, end] = [0, 0, 0]
    for (let partition = 0; partition < partitions; partition++) {
      const seen = await looks.look(topic, partition)
      if (seen.error !== null) errors.push(seen.error)
      records += seen.highWatermark - seen.logStartOffset
      sizeBytes += seen.sizeBytes
      end += seen.highWatermark
    }
    ends.set(topic, end)
    // What was made since the look before was empty then; what was made anew begins again.
    const appended = Math.max(0, end - (this.#ends.get(topic) ?? 0))
    const recordsPerSecond = elapsedMs === null ? null : ratePerSecond(appended, elapsedMs)
    return { topic, partitions, records, sizeBytes, recordsPerSecond, errors }
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

import {
  GroupListing,
  type ListedGroup,
  listTopics,
  type ResetTarget,
  TopicNotFoundError,
  type TopicPartition,
} from '@varve/broker'
import { type Clock, openLogReadOnly } from '@varve/log'
import { lookingOnce, PartitionLooks } from '../stats/partition-looks.ts'
import { editGroup } from './group-editing.ts'
import type { GroupHome, ShownGroup } from './group-home.ts'
import type { EndLooks } from './group-progress.ts'
import { committedAmong, type ResetStep, stepsOf } from './reset-steps.ts'

/**
 * The groups of a data directory. Looking takes no lock and changes nothing; what changes a group
 * needs the directory for itself.
 */
export class DirectoryGroups implements GroupHome {
  readonly looks: EndLooks
  readonly #data: string
  readonly #clock: Clock
  readonly #listing: GroupListing
  readonly #opened: PartitionLooks

  private constructor(data: string, clock: Clock, listing: GroupListing) {
    this.#data = data
    this.#clock = clock
    this.#listing = listing
    this.#opened = new PartitionLooks(data)
    this.looks = lookingOnce(this.#opened)
  }

  /** Rejects with LogNotFoundError, CorruptLogError. */
  static async open(data: string, clock: Clock): Promise<DirectoryGroups> {
    return new DirectoryGroups(data, clock, await GroupListing.open(data))
  }

  async all(): Promise<readonly ShownGroup[]> {
    return this.#listing.groups.map(shown)
  }

  async group(name: string): Promise<ShownGroup> {
    return shown(this.#listing.group(name))
  }

  async partitionCount(topic: string): Promise<number> {
    const found = listTopics(this.#data).find(({ name }) => name === topic)
    if (found === undefined) throw new TopicNotFoundError(topic)
    return found.partitions
  }

  async planReset(
    group: string,
    places: readonly TopicPartition[],
    target: ResetTarget,
  ): Promise<readonly ResetStep[]> {
    return stepsOf(places, target, {
      committed: committedAmong(this.#listing.group(group).offsets),
      withLog: async ({ topic, partition }, use) => {
        await using log = await openLogReadOnly(`${this.#data}/${topic}-${partition}`)
        return await use(log)
      },
    })
  }

  reset(
    group: string,
    places: readonly TopicPartition[],
    target: ResetTarget,
  ): Promise<readonly ResetStep[]> {
    return editGroup(this.#data, group, async ({ topics, store }) => {
      const steps = await stepsOf(places, target, {
        committed: ({ topic, partition }) => {
          return store.committed(group, topic, partition)?.offset ?? null
        },
        withLog: (place, use) => use(topics.topic(place.topic).partition(place.partition).log),
      })
      const offsets = steps.map(({ topic, partition, newOffset: offset }) => {
        return { topic, partition, offset }
      })
      await store.commit(group, offsets, { timestamp: this.#clock.now() })
      return steps
    })
  }

  delete(group: string): Promise<number> {
    return editGroup(this.#data, group, async ({ store }) => {
      const offsets = store.offsets(group)
      const commit = { timestamp: this.#clock.now() }
      await store.deleteOffsets(group, offsets, commit)
      await store.forgetMembers(group, commit)
      return offsets.length
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.close()
    await this.#listing.close()
  }
}

function shown(group: ListedGroup): ShownGroup {
  return { ...group, state: null }
}

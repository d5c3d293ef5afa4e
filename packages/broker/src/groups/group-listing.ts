import { type FileSystem, LogNotFoundError, openLogReadOnly, type ReadOnlyLog } from '@varve/log'
import { offsetsTopic } from '../base/topic-names.ts'
import { partitionName } from '../base/topic-partition.ts'
import { listTopics } from '../topics/topic-listing.ts'
import type { GroupType } from './group-administration.ts'
import { GroupNotFoundError } from './group-errors.ts'
import type { StoredOffset } from './group-offsets.ts'
import { OffsetStore, type OffsetView } from './offset-store.ts'

/** A group as a data directory has it, open or not. */
export interface ListedGroup {
  readonly group: string
  readonly type: GroupType
  /** `consumer`; empty where only offsets were ever committed in its name. */
  readonly protocolType: string
  /** Of a group of type `consumer` its epoch. */
  readonly generation: number
  /** Ids of the members that were noted last; if their process died, they are still here. */
  readonly members: readonly string[]
  /** By topic and partition. */
  readonly offsets: readonly StoredOffset[]
}

interface OpenStore {
  readonly log: ReadOnlyLog
  readonly store: OffsetView
}

/**
 * The groups of a data directory: without a lock, without writing anything, beside a program that
 * has it open or when none does.
 */
export class GroupListing implements AsyncDisposable {
  readonly #stores: readonly OpenStore[]

  private constructor(stores: readonly OpenStore[]) {
    this.#stores = stores
  }

  /**
   * Reads what groups have committed; a directory that never had a group has none. Rejects with
   * LogNotFoundError when there is no such directory, and with CorruptLogError.
   */
  static async open(
    path: string,
    options: { readonly fs?: FileSystem } = {},
  ): Promise<GroupListing> {
    const topic = listTopics(path, options).find(({ name }) => name === offsetsTopic)
    const stores: OpenStore[] = []
    try {
      for (let partition = 0; partition < (topic?.partitions ?? 0); partition++) {
        const name = partitionName({ topic: offsetsTopic, partition })
        const log = await openIfThere(`${path}/${name}`, options)
        // A broker of a cluster has only some of them.
        if (log !== null) stores.push({ log, store: await viewOf(log) })
      }
    } catch (error) {
      for (const { log } of stores) await log.close()
      throw error
    }
    return new GroupListing(stores)
  }

  /** All of them, by name. */
  get groups(): readonly ListedGroup[] {
    const all = this.#stores.flatMap(({ store }) =>
      store.groups.map((group) => describe(store, group)),
    )
    return all.sort((one, other) => compare(one.group, other.group))
  }

  /** Throws GroupNotFoundError. */
  group(name: string): ListedGroup {
    const found = this.#stores.find(({ store }) => store.groups.includes(name))
    if (found === undefined) throw new GroupNotFoundError(name)
    return describe(found.store, name)
  }

  /** Takes note of what has been committed since. */
  async refresh(): Promise<void> {
    for (const { log, store } of this.#stores) {
      await log.refresh()
      await store.refresh()
    }
  }

  async close(): Promise<void> {
    for (const { log } of this.#stores) await log.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

async function openIfThere(
  path: string,
  options: { readonly fs?: FileSystem },
): Promise<ReadOnlyLog | null> {
  try {
    return await openLogReadOnly(path, options)
  } catch (error) {
    if (error instanceof LogNotFoundError) return null
    throw error
  }
}

async function viewOf(log: ReadOnlyLog): Promise<OffsetView> {
  try {
    return await OffsetStore.view(log)
  } catch (error) {
    await log.close()
    throw error
  }
}

function describe(store: OffsetView, group: string): ListedGroup {
  const metadata = store.metadata(group)
  const consumers = store.consumerGroup(group)
  const offsets = store.offsets(group)
  offsets.sort((one, other) => compare(one.topic, other.topic) || one.partition - other.partition)
  return {
    group,
    type: consumers === null ? 'classic' : 'consumer',
    protocolType: consumers === null ? (metadata?.protocolType ?? '') : 'consumer',
    generation: consumers?.epoch ?? metadata?.generation ?? 0,
    members:
      consumers === null
        ? (metadata?.members.map(({ memberId }) => memberId) ?? [])
        : [...consumers.members.keys()],
    offsets,
  }
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

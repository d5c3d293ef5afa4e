import type { Clock } from '@varve/log'
import type { Group } from './classic/group.ts'
import { expiredInStore } from './group-expiration.ts'
import type { CommitOptions, OffsetStore } from './offset-store.ts'

/** What is known of groups by who leads them. */
export interface KnownGroups {
  readonly clock: Clock
  readonly commitOptions: () => CommitOptions
  /** One of the classic protocol. */
  readonly group: (name: string) => Group | undefined
  /** Forgets a group in memory; one of the consumer protocol unless it has members. */
  readonly forgetGroup: (name: string) => Promise<void>
}

/** Forgets offsets whose time is over, or whose topic is gone. */
export class OffsetHousekeeping {
  readonly #stores: readonly OffsetStore[]
  readonly #known: KnownGroups

  constructor(stores: readonly OffsetStore[], known: KnownGroups) {
    this.#stores = stores
    this.#known = known
  }

  /** Forgets what groups have committed of a topic, and what open transactions would commit. */
  async forgetOffsetsOf(topic: string): Promise<void> {
    for (const store of this.#stores) {
      await store.refresh()
      for (const group of store.groups) {
        const places = store.partitions(group, topic)
        await store.deleteOffsets(group, places, this.#known.commitOptions())
      }
    }
  }

  /**
   * Forgets offsets whose time is over, by Kafka's rule (see expiredOffsets), and groups that have
   * neither members nor offsets after that. Returns how many offsets it forgot.
   */
  async expireOffsets(retentionMs: number): Promise<number> {
    const { clock, group, commitOptions } = this.#known
    let count = 0
    for (const store of this.#stores) {
      await store.refresh()
      for (const name of store.groups) {
        const retention = { nowMs: clock.now(), retentionMs }
        const { expired, isOver } = expiredInStore(store, name, group(name), retention)
        await store.deleteOffsets(name, expired, commitOptions())
        count += expired.length
        if (isOver) await this.#forgetUnused(store, name)
      }
    }
    return count
  }

  /** Forgets a group that has neither members nor offsets, unless it has got some meanwhile. */
  async #forgetUnused(store: OffsetStore, name: string): Promise<void> {
    const state = this.#known.group(name)?.state ?? 'Empty'
    const hasOffsets = store.offsets(name).length > 0 || store.hasPending(name)
    if (hasOffsets || store.isCommitting(name) || state !== 'Empty') return
    if ((store.consumerGroup(name)?.members.size ?? 0) > 0) return
    await this.#known.forgetGroup(name)
    if (store.metadata(name) === null) return
    await store.saveMetadata(name, null, this.#known.commitOptions())
  }
}

import { randomUUID } from 'node:crypto'
import type { Clock, Timer } from '@varve/log'
import { ClosedError } from '../base/broker-errors.ts'
import type { Logger } from '../base/logger.ts'
import { offsetsTopic } from '../base/topic-names.ts'
import type { Partition } from '../topics/topic.ts'
import type { Topics } from '../topics/topics.ts'
import { type ConsumerGroupSettings, usualSettings } from './consumer/consumer-group-heartbeat.ts'
import { GroupCoordinator } from './group-coordinator.ts'
import type { GroupCoordinatorOptions } from './group-coordinator-options.ts'
import { GroupMember } from './group-member.ts'
import type { GroupMemberOptions } from './group-member-options.ts'
import { checkOffsetsRetention, defaultOffsetsRetentionMs } from './offset-expiration.ts'
import { OffsetStore } from './offset-store.ts'

/**
 * How many partitions `__consumer_offsets` gets where it is not there yet. Kafka makes 50, to
 * spread groups over brokers; here they would only keep commits from sharing a flush. A directory
 * that has more keeps them.
 */
export const offsetsPartitionCount = 1

export interface GroupsOptions
  extends Pick<GroupCoordinatorOptions, 'acks' | 'offsetsRetentionMs' | 'clock'> {
  readonly topics: Topics
  readonly logger: Logger
  /** Whether offsets are kept whatever their age. @defaultValue never */
  readonly isExpiryHeld?: () => boolean
  /** How often offsets are looked through for expired ones, in ms. @defaultValue 600000, Kafka's */
  readonly retentionCheckIntervalMs?: number
}

/**
 * The consumer groups of a data directory. Nothing is read, and no topic made, before a group is
 * asked for.
 */
export class Groups implements AsyncDisposable {
  readonly #options: GroupsOptions
  readonly #clock: Clock
  #opening: Promise<GroupCoordinator> | null = null
  #loaded: GroupCoordinator | null = null
  readonly #unwatch: () => void
  readonly #attended = new Set<Promise<unknown>>()
  #unwatchCounts: (() => void) | null = null
  #timer: Timer | null = null
  #isClosed = false
  #settingsOf: (group: string) => ConsumerGroupSettings = () => usualSettings

  /** Throws InvalidArgumentError for a retention of offsets that is none. */
  constructor(options: GroupsOptions) {
    checkOffsetsRetention(options.offsetsRetentionMs ?? defaultOffsetsRetentionMs)
    this.#options = options
    this.#clock = options.clock
    // Offsets of a topic that is gone must not be those of the next one of its name.
    options.topics.beforeCreating((name) => this.#forgetOffsetsOf(name))
    this.#unwatch = options.topics.watch(({ name }, event) => {
      if (event !== 'deleted' || !this.isUsed) return
      const forgotten = this.coordinator().then((coordinator) => coordinator.topicDeleted(name))
      this.#attend(forgotten, 'offsets of a deleted topic were not forgotten')
    })
  }

  /** Whether any group has ever been in this directory. */
  get isUsed(): boolean {
    return this.#options.topics.find(offsetsTopic) !== null
  }

  /** Of all groups; null while nobody has asked for one. */
  get loaded(): GroupCoordinator | null {
    return this.#loaded
  }

  /** Leads groups of the consumer protocol by other settings than Kafka's defaults. */
  leadBy(settingsOf: (group: string) => ConsumerGroupSettings): void {
    this.#settingsOf = settingsOf
  }

  /** Of all groups; makes `__consumer_offsets` where it is not there. */
  coordinator(): Promise<GroupCoordinator> {
    if (this.#isClosed) return Promise.reject(new ClosedError('the data directory'))
    this.#opening ??= this.#open().catch((error: unknown) => {
      // Asked again, it is tried again.
      this.#opening = null
      throw error
    })
    return this.#opening
  }

  /** A member to be, for a consumer of this process. */
  member(options: GroupMemberOptions): GroupMember {
    return new GroupMember(() => this.coordinator(), options)
  }

  async close(): Promise<void> {
    this.#unwatch()
    await Promise.allSettled([...this.#attended])
    this.#isClosed = true
    this.#unwatchCounts?.()
    this.#timer?.cancel()
    const coordinator = await this.#opening?.catch(() => null)
    coordinator?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #open(): Promise<GroupCoordinator> {
    const {
      topics,
      logger,
      retentionCheckIntervalMs: _,
      isExpiryHeld: __,
      ...options
    } = this.#options
    const topic = await topics.internal(offsetsTopic, offsetsPartitionCount)
    const load = (partition: Partition) => OffsetStore.load(partition.log, () => partition.log)
    const stores = await Promise.all(topic.partitions.map(load))
    for (const [partition, { skipped }] of stores.entries()) {
      for (const [reason, records] of skipped) {
        logger.warn({ partition, reason, records }, `records of ${offsetsTopic} were skipped`)
      }
    }
    const coordinator = new GroupCoordinator(stores, {
      ...options,
      newId: randomUUID,
      consumerGroupSettings: (group) => this.#settingsOf(group),
      partitionCount: (name) => topics.find(name)?.partitions.length ?? null,
      topics: {
        find: (name) => {
          const found = topics.find(name)
          if (found === null) return null
          return { topicId: found.topicId, partitionCount: found.partitions.length }
        },
        names: () => topics.all.map(({ name }) => name),
      },
      onError: (error, group) => logger.error({ err: error, group }, 'a group was not noted'),
    })
    const counts = new Map(topics.all.map(({ name, partitions }) => [name, partitions.length]))
    this.#unwatchCounts = topics.watch(({ name, partitions }, event) => {
      const before = counts.get(name) ?? 0
      if (event === 'deleted') counts.delete(name)
      else {
        counts.set(name, partitions.length)
        coordinator.partitionsMade(name, before)
      }
    })
    if (!this.#isClosed) this.#schedule(coordinator)
    this.#loaded = coordinator
    return coordinator
  }

  async #forgetOffsetsOf(topic: string): Promise<void> {
    if (this.isUsed) await (await this.coordinator()).forgetOffsetsOf(topic)
  }

  #schedule(coordinator: GroupCoordinator): void {
    const { retentionCheckIntervalMs = 600_000, isExpiryHeld = () => false } = this.#options
    this.#timer = this.#clock.setTimer(retentionCheckIntervalMs, () => {
      if (!isExpiryHeld())
        this.#attend(coordinator.expireOffsets(), 'expired offsets were not forgotten')
      if (!this.#isClosed) this.#schedule(coordinator)
    })
  }

  #attend(work: Promise<unknown>, whenItFails: string): void {
    const attended = work
      .catch((error: unknown) => {
        if (!this.#isClosed) this.#options.logger.error({ err: error }, whenItFails)
      })
      .finally(() => this.#attended.delete(attended))
    this.#attended.add(attended)
  }
}

import type { Clock } from '@varve/log'
import { InvalidArgumentError, type Offset } from '@varve/record'
import { ClosedError } from '../base/broker-errors.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { CommittedOffset } from '../consuming/committed-offsets.ts'
import type { MeasuredGroup } from '../metrics/measured.ts'
import { ClassicGroups } from './classic/classic-groups.ts'
import type { GroupContext } from './classic/group-context.ts'
import {
  type ConsumerGroupCommit,
  checkConsumerGroupCommit,
  checkConsumerGroupFetch,
} from './consumer/consumer-group-commit.ts'
import { usualSettings } from './consumer/consumer-group-heartbeat.ts'
import { ConsumerGroups } from './consumer/consumer-groups.ts'
import {
  describedConsumers,
  describedGroup,
  groupsInShort,
  readTopicsOf,
} from './described-group.ts'
import type { GroupAdministration } from './group-administration.ts'
import type {
  GroupCoordinatorOptions,
  StoredGroupDescription,
} from './group-coordinator-options.ts'
import {
  type GroupError,
  GroupNotEmptyError,
  GroupNotFoundError,
  IllegalGenerationError,
  RebalanceInProgressError,
  UnknownMemberError,
} from './group-errors.ts'
import { GroupMemory } from './group-memory.ts'
import { checkGroupName } from './group-name.ts'
import type { StoredOffset } from './group-offsets.ts'
import { partitionForGroup } from './group-partition.ts'
import type {
  JoinRequest,
  JoinResult,
  MemberIdentity,
  MemberName,
  SyncRequest,
} from './group-protocol.ts'
import { type GroupTopics, noTopics } from './group-topics.ts'
import { emptyGroup, type GroupOverview, type GroupView } from './group-view.ts'
import { MadePartitions } from './made-partitions.ts'
import { measuredGroups } from './measured-groups.ts'
import type { MemberCoordinator } from './member-coordinator.ts'
import { defaultOffsetsRetentionMs } from './offset-expiration.ts'
import { OffsetHousekeeping } from './offset-housekeeping.ts'
import type { CommitOptions, OffsetStore } from './offset-store.ts'

/**
 * The groups of a data directory: who is in them, which partitions each member has, and how far
 * they have come. It keeps everything in the stores of `__consumer_offsets`, so that after a
 * restart each group goes on at exactly its committed offsets.
 *
 * Members come in over `join`, `sync`, `heartbeat` and `leave`, as Kafka's protocol has it, from
 * this process (see GroupMember) and from others alike.
 */
export class GroupCoordinator implements GroupAdministration, MemberCoordinator {
  readonly #stores: readonly OffsetStore[]
  readonly #options: GroupCoordinatorOptions
  readonly #groups: ClassicGroups
  readonly #memory = new GroupMemory()
  readonly #made = new MadePartitions((topic) => this.#partitionCount(topic))
  /** Those of the consumer protocol (KIP-848), which have no `Group`. */
  readonly consumers: ConsumerGroups
  #isClosed = false

  /** @param stores of every partition of `__consumer_offsets`, in order, loaded */
  constructor(stores: readonly OffsetStore[], options: GroupCoordinatorOptions) {
    if (stores.length === 0) throw new InvalidArgumentError('stores', 0, 'must be one at least')
    this.#stores = stores
    this.#options = options
    this.#groups = new ClassicGroups(
      (name, unused) => this.#contextOf(name, unused),
      (name) => this.storeOf(name).metadata(name) !== null,
    )
    this.consumers = this.#makeConsumers()
    for (const store of stores) {
      for (const name of store.groups) {
        this.consumers.restore(name)
        const metadata = store.metadata(name)
        if (metadata !== null && !this.consumers.has(name)) this.#groups.restore(name, metadata)
      }
    }
  }

  get clock(): Clock {
    return this.#options.clock
  }

  async partitionCounts(topics: Iterable<string>): Promise<ReadonlyMap<string, number>> {
    return new Map([...topics].map((topic) => [topic, this.#partitionCount(topic)]))
  }

  /** The partition of `__consumer_offsets` that has a group. */
  partitionOf(group: string): number {
    return partitionForGroup(group, this.#stores.length)
  }

  /** The store that has a group's offsets: transactional commits and their markers go there. */
  storeOf(group: string): OffsetStore {
    return this.#stores[this.partitionOf(group)] as OffsetStore
  }

  // Members.

  /** Resolves when a group has changed its protocol; null where it is not doing so. */
  whenChanged(group: string): Promise<void> | null {
    return this.consumers.whenChanged(group)
  }

  /**
   * See ClassicGroups.join, ClassicMembers.join. What members say to the assignor is theirs: what
   * nobody understands subscribes to nothing.
   */
  async join(group: string, request: JoinRequest): Promise<JoinResult> {
    checkGroupName(group)
    if (this.#isClosed) throw new ClosedError('the group coordinator')
    let asked = request
    while (this.consumers.has(group)) {
      const { joined, ...rest } = await this.consumers.join(group, asked)
      if (joined !== null) return joined
      if ('request' in rest) asked = rest.request
      if (this.#isClosed) throw new ClosedError('the group coordinator')
    }
    return this.#groups.join(group, asked)
  }

  /** See Group.sync, ClassicMembers.sync. */
  async sync(group: string, request: SyncRequest): Promise<Buffer> {
    if (this.consumers.has(group)) {
      await this.whenChanged(group)
      if (this.consumers.has(group)) return this.consumers.sync(group, request)
    }
    return this.#groups.of(group, request.memberId).sync(request)
  }

  /** See Group.heartbeat, ClassicMembers.heartbeat. */
  heartbeat(group: string, identity: MemberIdentity): void {
    // Whichever way it goes, they join again after it.
    if (this.consumers.isChanging(group)) throw new RebalanceInProgressError(group)
    if (this.consumers.has(group)) this.consumers.classicHeartbeat(group, identity)
    else this.#groups.of(group, identity.memberId).heartbeat(identity)
  }

  /** Takes a member out. Rejects with UnknownMemberError when it is none. */
  async leave(group: string, memberId: string): Promise<void> {
    const [error] = await this.leaveAll(group, [{ memberId, groupInstanceId: null }])
    if (error !== null && error !== undefined) throw error
  }

  /** As Group.leave, ClassicMembers.leave. Rejects with UnknownMemberError for no group. */
  async leaveAll(group: string, who: readonly MemberName[]): Promise<(GroupError | null)[]> {
    while (this.consumers.has(group)) {
      const left = await this.consumers.leave(group, who)
      if (left !== null) return left
    }
    return this.#groups.of(group, who[0]?.memberId ?? '').leave(who)
  }

  /** A static member of this process stops: see Group.detach. */
  async detach(group: string, memberId: string): Promise<void> {
    await this.whenChanged(group)
    this.consumers.detach(group, memberId)
    this.#groups.find(group)?.detach(memberId)
  }

  // Offsets.

  /**
   * Commits for a member, or, with an empty member id and generation -1, for a program that divides
   * its partitions itself. Rejects with UnknownMemberError, IllegalGenerationError,
   * FencedInstanceError, RebalanceInProgressError: then nothing is committed.
   *
   * @param retentionMs how long these offsets are kept, by an old client's wish. @defaultValue as
   *   all others
   */
  async commit(
    group: string,
    identity: MemberIdentity,
    offsets: readonly CommittedOffset[],
    retentionMs?: number,
  ): Promise<void> {
    const change = this.whenChanged(group)
    if (change !== null) await change
    this.#checkCommit(group, identity, offsets)
    const options = this.#commitOptions
    const expireTimestamp = retentionMs === undefined ? -1 : options.timestamp + retentionMs
    await this.storeOf(group).commit(group, offsets, { ...options, expireTimestamp })
  }

  /** Rejects with what `commit` would reject with. */
  async checkCommit(group: string, identity: MemberIdentity): Promise<void> {
    await this.whenChanged(group)
    this.#checkCommit(group, identity, [])
  }

  #checkCommit(group: string, identity: MemberIdentity, places: readonly TopicPartition[]): void {
    checkGroupName(group)
    if (this.#isConsumerCommit({ group, identity, places, isTransactional: false })) return
    const found = this.#groups.find(group)
    if (found !== undefined) found.checkCommit(identity)
    else if (identity.generation >= 0) throw new UnknownMemberError(group, identity.memberId)
  }

  /**
   * As `checkCommit`, for offsets that a transaction over the wire brings. Kafka's rules are milder
   * there: a client that says nothing of a member is believed, and a rebalance does not matter.
   */
  checkTransactionalCommit(
    group: string,
    identity: MemberIdentity,
    places: readonly TopicPartition[] = [],
  ): void {
    checkGroupName(group)
    if (this.#isConsumerCommit({ group, identity, places, isTransactional: true })) return
    const found = this.#groups.find(group)
    const { generation } = identity
    if (found !== undefined) found.checkCommit(identity, true)
    else if (generation >= 0) throw new IllegalGenerationError(group, generation, -1)
  }

  /**
   * What was committed of each partition, in their order; null where nothing was. Waits for
   * transactions that may yet change it, so that nothing is read twice or skipped.
   */
  async fetch(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<Array<StoredOffset | null>> {
    const store = this.storeOf(group)
    await store.whenStable(group, partitions, this.clock)
    return partitions.map(({ topic, partition }) => store.committed(group, topic, partition))
  }

  /** See measuredGroups. */
  measured(
    highWatermarkOf: (place: TopicPartition) => Offset | null,
  ): Generator<MeasuredGroup, void, undefined> {
    return measuredGroups(this.#stores, highWatermarkOf)
  }

  /** See checkConsumerGroupFetch. */
  checkFetch(group: string, memberId: string | null, memberEpoch: number): void {
    const state = this.consumers.find(group)
    if (state !== null) checkConsumerGroupFetch(state, group, memberId, memberEpoch)
  }

  // What operators do.

  /** Whether there is a group of this name, of members or of offsets. */
  has(group: string): boolean {
    return this.#groups.find(group) !== undefined || this.storeOf(group).has(group)
  }

  /** All groups in short, in no order. */
  overview(): GroupOverview[] {
    return groupsInShort(this.#stores, this.#groups.all)
  }

  /**
   * A group of the classic protocol as it stands, with what its members say; null where there is
   * none of this name.
   */
  view(group: string): GroupView | null {
    const found = this.#groups.find(group)
    if (this.consumers.find(group) !== null) return null
    if (found !== undefined) return { state: found.state, ...found.metadata }
    return this.storeOf(group).has(group) ? emptyGroup : null
  }

  async list(): Promise<readonly string[]> {
    const names = new Set(this.#groups.names)
    for (const store of this.#stores) for (const name of store.groups) names.add(name)
    return [...names].sort()
  }

  /** Rejects with GroupNotFoundError. */
  async describe(group: string): Promise<StoredGroupDescription> {
    const store = this.storeOf(group)
    await store.refresh()
    await this.whenChanged(group)
    const offsets = store.offsets(group)
    const consumers = this.consumers.find(group)
    if (consumers !== null) return { ...describedConsumers(group, consumers), offsets }
    const found = this.view(group)
    if (found === null) throw new GroupNotFoundError(group)
    return { ...describedGroup(group, found), offsets }
  }

  /** Forgets a group and its offsets. Rejects with GroupNotFoundError, GroupNotEmptyError. */
  async delete(group: string): Promise<void> {
    const found = this.#groups.find(group)
    const store = this.storeOf(group)
    await store.refresh()
    if (found === undefined && !store.has(group)) throw new GroupNotFoundError(group)
    await this.consumers.delete(group)
    this.#groups.end(group)
    await store.deleteOffsets(group, store.partitions(group), this.#commitOptions)
    if (store.metadata(group) !== null) await store.saveMetadata(group, null, this.#commitOptions)
  }

  /**
   * Sets committed offsets, whoever committed them (see resetOffset for where to). Rejects with
   * GroupNotEmptyError while the group has members, who would commit over it.
   */
  async resetOffsets(group: string, offsets: readonly CommittedOffset[]): Promise<void> {
    checkGroupName(group)
    await this.whenChanged(group)
    const size = (this.consumers.find(group)?.members ?? this.#groups.find(group))?.size ?? 0
    if (size > 0) throw new GroupNotEmptyError(group, size)
    await this.storeOf(group).commit(group, offsets, this.#commitOptions)
  }

  /**
   * What members of a group read, whose offsets are theirs alone; null for whatever there is.
   * Rejects with GroupNotFoundError, and with GroupNotEmptyError where members are no consumers.
   */
  async deletableOffsets(group: string): Promise<{ readTopics: ReadonlySet<string> | null }> {
    await this.storeOf(group).refresh()
    await this.whenChanged(group)
    return { readTopics: readTopicsOf(group, this.consumers.find(group), this.view(group)) }
  }

  /** Forgets what was committed of partitions, and what open transactions have brought of them. */
  async forgetOffsets(group: string, places: readonly TopicPartition[]): Promise<void> {
    const store = this.storeOf(group)
    const known = places.filter(({ topic, partition }) => {
      return store.committed(group, topic, partition) ?? store.isPending(group, topic, partition)
    })
    await store.deleteOffsets(group, known, this.#commitOptions)
  }

  get age(): number {
    return this.#made.age
  }

  wasMadeAfter(age: number, place: TopicPartition): boolean {
    return this.#made.wasMadeAfter(age, place)
  }

  /** Takes note that a topic has been made, or has more partitions: `first` and those after it. */
  partitionsMade(topic: string, first: number): void {
    this.#made.note(topic, first)
    this.topicsChanged(new Set([topic]))
  }

  /** Takes note that topics have more partitions, or are gone. */
  topicsChanged(topics: ReadonlySet<string>): void {
    this.consumers.topicsChanged()
    this.#groups.topicsChanged(topics)
  }

  /** A topic is gone for good: so are the offsets that were committed of it. */
  async topicDeleted(topic: string): Promise<void> {
    await this.forgetOffsetsOf(topic)
    this.topicsChanged(new Set([topic]))
  }

  /** See OffsetHousekeeping. */
  forgetOffsetsOf(topic: string): Promise<void> {
    return this.#housekeeping.forgetOffsetsOf(topic)
  }

  /** See OffsetHousekeeping. */
  expireOffsets(): Promise<number> {
    const { offsetsRetentionMs = defaultOffsetsRetentionMs } = this.#options
    return this.#housekeeping.expireOffsets(offsetsRetentionMs)
  }

  /** Members that wait for something are told that they are none any more. Nothing is noted. */
  close(): void {
    this.#isClosed = true
    this.consumers.close()
    this.#groups.close()
  }

  get #housekeeping(): OffsetHousekeeping {
    return new OffsetHousekeeping(this.#stores, {
      clock: this.clock,
      commitOptions: () => this.#commitOptions,
      group: (name) => this.#groups.find(name),
      forgetGroup: async (name) => {
        this.#groups.end(name)
        await this.consumers.dropEmpty(name)
      },
    })
  }

  #partitionCount(topic: string): number {
    return this.#options.partitionCount(topic) ?? 0
  }

  get #commitOptions(): CommitOptions {
    return { timestamp: this.clock.now(), acks: this.#options.acks ?? 'flushed' }
  }

  /** Whether a commit is to a group of the consumer protocol, and allowed. Throws why it is not. */
  #isConsumerCommit(commit: ConsumerGroupCommit): boolean {
    const state = this.consumers.find(commit.group)
    if (state !== null) checkConsumerGroupCommit(state, this.#topics, commit)
    return state !== null
  }

  get #topics(): GroupTopics {
    return this.#options.topics ?? noTopics
  }

  #makeConsumers(): ConsumerGroups {
    const { clock, newId, consumerGroupSettings = () => usualSettings } = this.#options
    const groups = this.#groups
    return new ConsumerGroups({
      ...{ clock, newId, topics: this.#topics, memory: this.#memory },
      settingsOf: consumerGroupSettings,
      storeOf: (group) => this.storeOf(group),
      note: (group, records, isUpgrade) => {
        const isClassic = isUpgrade && groups.find(group) !== undefined
        return this.storeOf(group).saveConsumers(group, records, this.#commitOptions, isClassic)
      },
      noteDowngrade: (group, records, metadata) => {
        return this.storeOf(group).saveDowngraded(group, records, metadata, this.#commitOptions)
      },
      classic: groups,
      failed: (error, group) => this.#options.onError?.(error, group),
    })
  }

  #contextOf(name: string, unused: () => void): GroupContext {
    const { clock, newId, onError, consumerGroupSettings = () => usualSettings } = this.#options
    return {
      ...{ clock, memory: this.#memory, unused },
      membersMax: () => consumerGroupSettings(name).classicMembersMax,
      newMemberId: (prefix) => `${prefix.slice(0, memberIdPrefixMax)}-${newId()}`,
      save: (metadata) => this.storeOf(name).saveMetadata(name, metadata, this.#commitOptions),
      failed: (error) => onError?.(error, name),
    }
  }
}

/** Member ids begin with what clients call themselves, of which so much is enough. */
const memberIdPrefixMax = 255

import assert from 'node:assert/strict'
import type { Timer } from '@varve/log'
import { partitionName, type TopicPartition } from '../base/topic-partition.ts'
import type { AssignmentSource, PartitionOwner } from '../consuming/assignment-source.ts'
import type { CommittedOffset, CommittedOffsets } from '../consuming/committed-offsets.ts'
import { cooperativeStickyAssignor } from './assigning/cooperative-sticky-assignor.ts'
import { Deferred } from './classic/deferred.ts'
import { localHost } from './classic/member-state.ts'
import {
  decodeAssignment,
  encodeAssignment,
  encodeSubscription,
  understoodSubscription,
} from './consumer-protocol.ts'
import {
  FencedInstanceError,
  GroupError,
  IllegalGenerationError,
  isMembershipOver,
  RebalanceInProgressError,
  UnknownMemberError,
} from './group-errors.ts'
import type { GroupMemberOptions } from './group-member-options.ts'
import type { JoinRequest, JoinResult, MemberIdentity } from './group-protocol.ts'
import type { MemberCoordinator } from './member-coordinator.ts'

/**
 * A consumer's place in a group, in this process: it joins, is given partitions, gives them up when
 * the group is divided anew, and commits for what it has. A commit for a partition that is with
 * somebody else is refused, so a member that was away does not set the group back.
 *
 * Partitions are given up between two records, not while one is being handled: what is given up is
 * done with, and committed where that is automatic.
 *
 * There are no heartbeats: the process lives. What can get stuck is the program that handles a
 * record; when it takes longer than `maxPollIntervalMs` the member leaves, as a Kafka consumer
 * does, and joins again when its program asks for the next record.
 */
export class GroupMember implements AssignmentSource, CommittedOffsets {
  readonly #connect: () => Promise<MemberCoordinator>
  #connected: MemberCoordinator | null = null
  readonly #options: Required<Omit<GroupMemberOptions, 'groupInstanceId'>>
  readonly #groupInstanceId: string | null
  readonly #isCooperative: boolean
  #owner: PartitionOwner | null = null
  #memberId = ''
  #generation = -1
  #owned: readonly TopicPartition[] = []
  /** In which it got what it has. */
  #ownedGeneration = -1
  /** The owner is called once at a time. */
  #turn: Promise<void> = Promise.resolve()
  readonly #started = new Deferred<void>()
  /** Something to do for the loop: a rebalance, or to join again. */
  #wake = new Deferred<void>()
  #mustJoin = true
  /** Left because its program is stuck: joins again when it is asked for a record. */
  #isAway = false
  /** Until when commits wait for the end of the rebalance they fell into. */
  #settled = new Deferred<void>()
  #isJoining = false
  #running: Promise<void> | null = null
  #isClosed = false
  #handlingSince: number | null = null
  /** The coordinator's when it started: partitions made later are read from their beginning. */
  #age = 0
  /** Partitions are given up when the program is done with its record: ends that wait. */
  #waiting: ((isDone: boolean) => void) | null = null
  #pollTimer: Timer | null = null

  /** @param connect gives the coordinator of the group, once it is needed */
  constructor(connect: () => Promise<MemberCoordinator>, options: GroupMemberOptions) {
    this.#connect = connect
    this.#options = {
      clientId: 'consumer',
      assignors: [cooperativeStickyAssignor],
      sessionTimeoutMs: 45_000,
      maxPollIntervalMs: 300_000,
      ...options,
    }
    this.#groupInstanceId = options.groupInstanceId ?? null
    this.#isCooperative = this.#options.assignors.every(
      ({ rebalanceProtocol }) => rebalanceProtocol === 'cooperative',
    )
  }

  /** Who it is to the group now: for offsets that a transaction commits. */
  get identity(): MemberIdentity {
    const groupInstanceId = this.#groupInstanceId
    return { memberId: this.#memberId, groupInstanceId, generation: this.#generation }
  }

  get group(): string {
    return this.#options.group
  }

  /** What it has now. */
  get partitions(): readonly TopicPartition[] {
    return this.#owned
  }

  async start(owner: PartitionOwner): Promise<void> {
    this.#connected = await this.#connect()
    if (this.#isClosed) return
    this.#owner = owner
    this.#age = this.#connected.age
    this.#running = this.#run(owner)
    this.#watch()
    await this.#started.promise
  }

  polled(): void {
    this.#handlingSince = null
    // At once, before the consumer hands out another record of what has to go.
    this.#endWait(true)
    this.settled()
  }

  /** Comes back, when its program is not stuck any more. */
  settled(): void {
    if (!this.#isAway || this.#isStuck) return
    this.#isAway = false
    this.#rejoin()
  }

  /** A record has been given to the program: from now on it has `maxPollIntervalMs` for it. */
  delivered(): void {
    this.#handlingSince = this.#connected?.clock.monotonic() ?? null
  }

  async fetch(
    partitions: readonly TopicPartition[],
  ): Promise<ReadonlyArray<CommittedOffset | null>> {
    return this.#coordinator.fetch(this.group, partitions)
  }

  /**
   * Commits for partitions that it has; in a rebalance, when that is over. Rejects with
   * IllegalGenerationError or UnknownMemberError when they are with somebody else by then.
   */
  async commit(offsets: readonly CommittedOffset[]): Promise<void> {
    await this.#asOwner(offsets, () => {
      return this.#coordinator.commit(this.group, this.identity, offsets)
    })
  }

  async check(offsets: readonly CommittedOffset[]): Promise<void> {
    await this.#asOwner(offsets, async () => {
      await this.#coordinator.checkCommit(this.group, this.identity)
    })
  }

  /** Does something as who has the partitions; in a rebalance, when that is over. */
  async #asOwner(offsets: readonly CommittedOffset[], action: () => Promise<void>): Promise<void> {
    for (;;) {
      this.#checkOwned(offsets)
      const [settled, generation] = [this.#settled, this.#generation]
      try {
        return await action()
      } catch (error) {
        // Or the member itself has gone on meanwhile, or is about to: it asks again as who it is.
        const hasMoved = this.#isJoining || this.#generation !== generation
        const isOvertaken = error instanceof IllegalGenerationError && hasMoved
        const isPassing = error instanceof RebalanceInProgressError || isOvertaken
        if (!isPassing || this.#isClosed) throw error
      }
      await settled.promise
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return this.#running ?? undefined
    this.#isClosed = true
    this.#pollTimer?.cancel()
    this.#endWait(true)
    const owner = this.#owner
    // Still a member while it lets go: what it has handled it can commit.
    try {
      if (owner !== null) await this.#giveUp(owner, () => this.#owned)
    } finally {
      await this.#goAway()
      await this.#connected?.stop?.(this.group)
      this.#settled.resolve()
      this.#wake.resolve()
      await this.#running
    }
  }

  async #run(owner: PartitionOwner): Promise<void> {
    while (!this.#isClosed) {
      try {
        if (this.#mustJoin && !this.#isAway) await this.#rebalance(owner)
        else {
          // What woke it before was that it had to go away.
          if (this.#isAway) this.#wake = new Deferred()
          await this.#wake.promise
        }
      } catch (error) {
        if (this.#isClosed) break
        if (error instanceof RebalanceInProgressError) this.#mustJoin = true
        else if (isMembershipOver(error)) this.#lost()
        else {
          owner.fail(error)
          break
        }
      }
    }
    this.#settled.resolve()
    this.#started.resolve()
  }

  /** One passage through the group's rebalance, from giving up what may not be kept. */
  async #rebalance(owner: PartitionOwner): Promise<void> {
    this.#mustJoin = false
    this.#wake = new Deferred()
    if (!this.#isCooperative) await this.#giveUp(owner, () => this.#owned)
    if (this.#isAway || this.#isClosed) {
      // Put out while it waited for its program.
      this.#mustJoin = true
      return
    }
    this.#isJoining = true
    const joined = await this.#coordinator.join(this.group, this.#joinRequest())
    this.#memberId = joined.memberId
    this.#generation = joined.generation
    if (this.#isClosed) {
      await this.#goAway()
      return
    }
    const assignments = await this.#assign(joined)
    const bytes = await this.#coordinator.sync(this.group, { ...this.identity, assignments })
    this.#isJoining = false
    if (this.#memberId !== joined.memberId) return
    // Commits that wait do so for a handler, which giving up may wait for: they come first.
    this.#settled.resolve()
    this.#settled = new Deferred()
    const { partitions } = decodeAssignment(bytes)
    const given = new Set(partitions.map(partitionName))
    const revoked = this.#owned.filter((partition) => !given.has(partitionName(partition)))
    await this.#giveUp(owner, () => revoked)
    await this.#take(owner, partitions, joined)
    // What it gave up can be given to others once it says that it has not got it any more.
    if (this.#isCooperative && revoked.length > 0) this.#rejoin()
    this.#started.resolve()
  }

  async #giveUp(owner: PartitionOwner, which: () => readonly TopicPartition[]): Promise<void> {
    await this.#inTurn(async () => {
      const partitions = which()
      if (partitions.length === 0) return
      const gone = new Set(partitions.map(partitionName))
      await this.#whenIdle(() => this.#inTime(owner.revoke(partitions)))
      this.#owned = this.#owned.filter((partition) => !gone.has(partitionName(partition)))
    })
  }

  /** A program that does not let go in time is out, so that others can have its partitions. */
  async #inTime(revoked: Promise<void>): Promise<void> {
    const { maxPollIntervalMs } = this.#options
    const timer = this.#coordinator.clock.setTimer(maxPollIntervalMs, () => this.#leaveStuck())
    await revoked.finally(() => timer.cancel())
  }

  /**
   * Does something when the program has no record in its hands: so whoever is next to have the
   * partition does not get a record that is still being handled. Not at all when the partitions
   * were lost meanwhile.
   */
  async #whenIdle(action: () => Promise<void>): Promise<void> {
    if (this.#handlingSince === null || this.#isClosed) return action()
    await new Promise<void>((resolve, reject) => {
      this.#waiting = (isDone) => {
        if (isDone) action().then(resolve, reject)
        else resolve()
      }
    })
  }

  #endWait(isDone: boolean): void {
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.(isDone)
  }

  async #take(
    owner: PartitionOwner,
    partitions: readonly TopicPartition[],
    { memberId, generation }: JoinResult,
  ): Promise<void> {
    await this.#inTurn(async () => {
      // Closed, or put out, while it gave up.
      if (this.#isClosed || this.#memberId !== memberId) return
      const had = new Set(this.#owned.map(partitionName))
      const added = partitions.filter((partition) => !had.has(partitionName(partition)))
      this.#owned = [...this.#owned, ...added]
      this.#ownedGeneration = generation
      if (added.length === 0) return
      await this.#assignAdded(owner, added)
      if (this.#memberId !== memberId) owner.lose(added)
    })
  }

  async #assignAdded(owner: PartitionOwner, added: readonly TopicPartition[]): Promise<void> {
    const areNew = (place: TopicPartition) => this.#coordinator.wasMadeAfter(this.#age, place)
    const old = added.filter((place) => !areNew(place))
    const fresh = added.filter(areNew)
    if (old.length > 0) await owner.assign(old)
    if (fresh.length > 0) await owner.assign(fresh, true)
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(action)
    this.#turn = done.catch(() => undefined)
    return done
  }

  /** Since when its program has been busy: `run` asks for more records while handlers run. */
  get #busySince(): number | null {
    const handlingSince = this.#owner?.handlingSinceMs?.()
    return handlingSince === undefined ? this.#handlingSince : handlingSince
  }

  get #isStuck(): boolean {
    const sinceMs = this.#busySince
    if (sinceMs === null) return false
    return this.#coordinator.clock.monotonic() - sinceMs >= this.#options.maxPollIntervalMs
  }

  #joinRequest(): JoinRequest {
    const { topics, assignors, clientId, sessionTimeoutMs, maxPollIntervalMs } = this.#options
    const metadata = encodeSubscription({
      topics,
      userData: null,
      ownedPartitions: this.#owned,
      generationId: this.#owned.length === 0 ? -1 : this.#ownedGeneration,
      rackId: null,
    })
    const memberId = this.#memberId
    return {
      memberId,
      groupInstanceId: this.#groupInstanceId,
      clientId,
      clientHost: localHost,
      protocolType: 'consumer',
      protocols: assignors.map(({ name }) => ({ name, metadata })),
      sessionTimeoutMs,
      rebalanceTimeoutMs: maxPollIntervalMs,
      local: {
        rebalance: () => this.#rejoin(),
        removed: (error) => this.#removed(error),
      },
    }
  }

  /** The leader divides; the others have nothing to say. */
  async #assign(joined: JoinResult): Promise<ReadonlyMap<string, Buffer>> {
    const { memberId, leader, protocol, members, skipAssignment } = joined
    const assignor = this.#options.assignors.find(({ name }) => name === protocol)
    if (memberId !== leader || skipAssignment || assignor === undefined) return new Map()
    const assignable = members.map(({ metadata, ...member }) => ({
      ...member,
      ...understoodSubscription(metadata),
    }))
    const topics = new Set(assignable.flatMap((member) => member.topics))
    const counts = await this.#coordinator.partitionCounts(topics)
    const assignment = assignor.assign(counts, assignable)
    return new Map(
      [...assignment].map(([id, partitions]) => [
        id,
        encodeAssignment({ partitions, userData: null }),
      ]),
    )
  }

  #checkOwned(offsets: readonly CommittedOffset[]): void {
    if (this.#memberId === '') throw new UnknownMemberError(this.group, '')
    const owned = new Set(this.#owned.map(partitionName))
    if (offsets.every((each) => owned.has(partitionName(each)))) return
    throw new IllegalGenerationError(this.group, this.#generation, this.#generation)
  }

  get #coordinator(): MemberCoordinator {
    assert(this.#connected !== null, 'a member has started before it does anything')
    return this.#connected
  }

  #rejoin(): void {
    this.#mustJoin = true
    this.#wake.resolve()
  }

  /** The group has put it out. */
  #removed(error: Error): void {
    if (this.#isClosed) return
    if (error instanceof FencedInstanceError) {
      this.#owner?.fail(error)
      this.#isClosed = true
    }
    // It did not come to the rebalance in time: its program is stuck.
    if (this.#busySince !== null) this.#isAway = true
    this.#lost()
  }

  #lost(): void {
    const owned = this.#owned
    this.#memberId = ''
    this.#generation = -1
    this.#owned = []
    if (owned.length > 0) this.#owner?.lose(owned)
    this.#endWait(false)
    this.#rejoin()
  }

  async #goAway(): Promise<void> {
    const memberId = this.#memberId
    this.#memberId = ''
    this.#generation = -1
    if (memberId === '') return
    try {
      if (this.#isClosed && this.#groupInstanceId !== null) {
        await this.#coordinator.detach(this.group, memberId)
      } else await this.#coordinator.leave(this.group, memberId)
    } catch (error) {
      // It was put out before: that is as well.
      if (!(error instanceof GroupError)) throw error
    }
  }

  /** Its program is stuck: others take over. */
  #leaveStuck(): void {
    if (this.#busySince !== null) this.#isAway = true
    void this.#goAway().catch((error: unknown) => this.#owner?.fail(error))
    this.#lost()
  }

  /** Looks after the program: when it has had a record for too long, others take over. */
  #watch(): void {
    const { clock } = this.#coordinator
    const { maxPollIntervalMs } = this.#options
    const sinceMs = (this.#isAway ? null : this.#busySince) ?? clock.monotonic()
    const restMs = sinceMs + maxPollIntervalMs - clock.monotonic()
    this.#pollTimer = clock.setTimer(Math.max(1, restMs), () => {
      if (this.#isClosed) return
      if (this.#isStuck && !this.#isAway) this.#leaveStuck()
      this.#watch()
    })
  }
}

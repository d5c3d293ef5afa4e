import type { Clock } from '@varve/log'
import { ClosedError } from '../../base/broker-errors.ts'
import {
  FencedInstanceError,
  GroupMemoryFullError,
  GroupNotEmptyError,
  GroupNotFoundError,
  InconsistentGroupProtocolError,
  UnknownMemberError,
} from '../group-errors.ts'
import type { GroupMemory, Holder } from '../group-memory.ts'
import type { GroupTopics } from '../group-topics.ts'
import type { OffsetStore } from '../offset-store.ts'
import { fencing, staticLeave, tombstonesOf } from './consumer-group-departure.ts'
import { expressionRecords, expressionsDue, lookUp } from './consumer-group-expressions.ts'
import {
  type ConsumerGroupAnswer,
  type ConsumerGroupHeartbeat,
  type ConsumerGroupSettings,
  heartbeatOutcome,
} from './consumer-group-heartbeat.ts'
import { type ConsumerGroupMember, staticLeaveEpoch } from './consumer-group-member.ts'
import type { ConsumerGroupRecord } from './consumer-group-record.ts'
import { ConsumerGroupSessions, type FiredTimer } from './consumer-group-sessions.ts'
import { ConsumerGroupState } from './consumer-group-state.ts'
import { GroupTurns } from './group-turns.ts'
import { loadExpressions } from './topic-expression.ts'

/** Members that were there before a restart have so long to be heard of: Kafka's default. */
const restoredSessionMs = 45_000
/** What could not be noted is tried again after so long. */
const retryMs = 5_000
/** What a member takes of memory whatever it says, and a name beside its characters. */
const memberBytes = 512
const nameBytes = 40
/** What expressions stand for is not looked up again for so long after that has failed. */
const lookUpRetryMs = 10_000

export interface ConsumerGroupsOptions {
  readonly clock: Clock
  readonly topics: GroupTopics
  readonly memory: GroupMemory
  readonly storeOf: (group: string) => OffsetStore
  /** Notes records durably, all or none of them. */
  readonly note: (group: string, records: readonly ConsumerGroupRecord[]) => Promise<void>
  /**
   * Ends the classic group of this name, if there is one, and returns what brings it back. Throws
   * GroupNotFoundError where it has members: they would have to be of both kinds.
   */
  readonly takeClassic: (group: string) => () => void
  readonly failed: (error: unknown, group: string) => void
}

/** Who asks, and how the group is led. */
export interface HeartbeatCircumstances {
  readonly settings: ConsumerGroupSettings
  /** Whether the member may know of a topic. */
  readonly isVisible: (topic: string) => boolean
}

interface LiveGroup {
  readonly sessions: ConsumerGroupSessions
  /** Of topics, when they were looked at last. */
  seenChange: number
  isLookingUp: boolean
  lookUpNotBeforeMs: number
  readonly sizes: Map<string, Holder>
}

/**
 * The groups of the consumer protocol (KIP-848): the server divides partitions and brings members
 * to their parts one by one. What a group is stands in the log, and only there: whatever is done to
 * it is noted first, and holds when it has been; so nothing is told that a restart could take back.
 */
export class ConsumerGroups {
  readonly #options: ConsumerGroupsOptions
  readonly #live = new Map<string, LiveGroup>()
  readonly #turns = new GroupTurns()
  /** Groups that are about to be. */
  readonly #claimed = new Set<string>()
  #changes = 1
  #topicsVersion: number
  #isClosed = false

  constructor(options: ConsumerGroupsOptions) {
    this.#options = options
    this.#topicsVersion = options.clock.now()
  }

  /** Takes up a group that was noted: its members have to be heard of. */
  restore(group: string): void {
    const state = this.find(group)
    if (state === null) return
    for (const member of state.members.values()) {
      this.#heard(group, member.memberId, restoredSessionMs)
      this.#awaitRevocation(group, member)
      this.#measure(group, member.memberId)
    }
  }

  /** A group as it is noted; null where there is none of this kind. */
  find(group: string): ConsumerGroupState | null {
    return this.#options.storeOf(group).consumerGroup(group)
  }

  /** Whether there is such a group, or is about to be one. */
  has(group: string): boolean {
    return this.#claimed.has(group) || this.find(group) !== null
  }

  /** See heartbeatOutcome. Rejects with GroupError; then nothing has changed. */
  heartbeat(
    request: ConsumerGroupHeartbeat,
    circumstances: HeartbeatCircumstances,
  ): Promise<ConsumerGroupAnswer> {
    const { topicRegex } = request
    if (topicRegex !== null && topicRegex !== '') {
      return loadExpressions().then(() => this.#take(request, circumstances))
    }
    return this.#take(request, circumstances)
  }

  #take(
    request: ConsumerGroupHeartbeat,
    circumstances: HeartbeatCircumstances,
  ): Promise<ConsumerGroupAnswer> {
    return this.#inTurn(request.group, () =>
      request.memberEpoch < 0 ? this.#leave(request) : this.#beat(request, circumstances),
    )
  }

  /**
   * Makes way for a classic group of the same name. Rejects with InconsistentGroupProtocolError
   * while it has members.
   */
  async release(group: string): Promise<void> {
    await this.#inTurn(group, async () => {
      const state = this.find(group)
      if (state === null) return
      if (state.members.size > 0) {
        throw new InconsistentGroupProtocolError(group, ['classic'], ['consumer'])
      }
      await this.#forget(group, state)
    })
  }

  /** Forgets a group. Rejects with GroupNotEmptyError. */
  async delete(group: string): Promise<void> {
    await this.#inTurn(group, async () => {
      const state = this.find(group)
      if (state === null) return
      const { size } = state.members
      if (size > 0) throw new GroupNotEmptyError(group, size)
      await this.#forget(group, state)
    })
  }

  /** Forgets a group that has no members. */
  async dropEmpty(group: string): Promise<void> {
    await this.#inTurn(group, async () => {
      const state = this.find(group)
      if (state?.members.size === 0) await this.#forget(group, state)
    })
  }

  /** Takes note that topics are others now. */
  topicsChanged(): void {
    this.#changes += 1
    this.#topicsVersion = Math.max(this.#topicsVersion + 1, this.#options.clock.now())
  }

  close(): void {
    this.#isClosed = true
    for (const { sessions } of this.#live.values()) sessions.close()
    this.#live.clear()
  }

  async #beat(
    request: ConsumerGroupHeartbeat,
    { settings, isVisible }: HeartbeatCircumstances,
  ): Promise<ConsumerGroupAnswer> {
    const { group, memberEpoch } = request
    const { clock, topics } = this.#options
    const known = this.find(group)
    if (known === null && memberEpoch !== 0) throw new GroupNotFoundError(group)
    const state = known ?? new ConsumerGroupState()
    this.#checkRoom(request)
    const changes = this.#changes
    const haveTopicsChanged = this.#live.get(group)?.seenChange !== changes
    const world = { nowMs: clock.now(), topics, settings, haveTopicsChanged }
    const { records, member, answer, hasNewExpression } = heartbeatOutcome(state, request, world)
    if (known === null) await this.#begin(group, records)
    else await this.#note(group, records)
    this.#liveOf(group).seenChange = changes
    this.#heard(group, member.memberId, settings.sessionTimeoutMs)
    this.#awaitRevocation(group, member)
    this.#maybeLookUp(group, hasNewExpression, isVisible)
    return answer
  }

  /** A group that was none, or a classic one without members. */
  async #begin(group: string, records: readonly ConsumerGroupRecord[]): Promise<void> {
    const bringBack = this.#options.takeClassic(group)
    this.#claimed.add(group)
    try {
      await this.#note(group, records)
    } catch (error) {
      bringBack()
      throw error
    } finally {
      this.#claimed.delete(group)
    }
  }

  async #leave(request: ConsumerGroupHeartbeat): Promise<ConsumerGroupAnswer> {
    const { group, memberId, memberEpoch, instanceId } = request
    const state = this.find(group)
    if (state === null) throw new GroupNotFoundError(group)
    const member = instanceId === null ? state.members.get(memberId) : state.instance(instanceId)
    if (member === undefined) throw new UnknownMemberError(group, memberId)
    if (instanceId !== null && member.memberId !== memberId) {
      throw new FencedInstanceError(group, instanceId)
    }
    if (instanceId !== null && memberEpoch === staticLeaveEpoch) {
      await this.#note(group, staticLeave(group, member))
      this.#liveOf(group).sessions.revoked(memberId)
    } else await this.#putOut(group, state, member)
    return { memberId, memberEpoch, heartbeatIntervalMs: 0, assignment: null }
  }

  async #putOut(
    group: string,
    state: ConsumerGroupState,
    member: ConsumerGroupMember,
  ): Promise<void> {
    await this.#note(group, fencing(state, group, [member], this.#options.topics))
  }

  async #forget(group: string, state: ConsumerGroupState): Promise<void> {
    await this.#note(group, tombstonesOf(state, group))
    this.#live.get(group)?.sessions.close()
    this.#live.delete(group)
  }

  async #note(group: string, records: readonly ConsumerGroupRecord[]): Promise<void> {
    if (records.length === 0) return
    await this.#options.note(group, records)
    for (const memberId of new Set(
      records.flatMap((each) => ('memberId' in each ? [each.memberId] : [])),
    )) {
      this.#measure(group, memberId)
    }
  }

  #heard(group: string, memberId: string, timeoutMs: number): void {
    if (this.#isClosed) return
    const { sessions } = this.#liveOf(group)
    sessions.heard(memberId, timeoutMs, (fired) => this.#expire(group, memberId, fired))
  }

  #awaitRevocation(group: string, member: ConsumerGroupMember): void {
    if (this.#isClosed) return
    const { memberId, state } = member
    const { sessions } = this.#liveOf(group)
    if (state !== 'unrevoked') sessions.revoked(memberId)
    else sessions.revoking(member, (fired) => this.#expire(group, memberId, fired))
  }

  /**
   * A member has been silent, or has kept what it was to give up, for too long; unless it is heard
   * of by what has been waiting for its turn longer.
   */
  #expire(group: string, memberId: string, { isCurrent }: FiredTimer): void {
    this.#inTurn(group, async () => {
      if (!isCurrent()) return
      const state = this.find(group)
      const member = state?.members.get(memberId)
      if (state !== null && member !== undefined) await this.#putOut(group, state, member)
    }).catch((error: unknown) => {
      if (this.#isClosed) return
      this.#options.failed(error, group)
      this.#heard(group, memberId, retryMs)
    })
  }

  #maybeLookUp(group: string, hasNew: boolean, isVisible: (topic: string) => boolean): void {
    const live = this.#liveOf(group)
    const state = this.find(group)
    const { clock, topics } = this.#options
    if (state === null || live.isLookingUp) return
    if (clock.monotonic() < live.lookUpNotBeforeMs) return
    const known = { topics, version: this.#topicsVersion, nowMs: clock.now() }
    const due = expressionsDue(state, hasNew, known)
    if (due.size === 0) return
    live.isLookingUp = true
    const looking = lookUp(due, known, isVisible, clock).then((found) =>
      this.#inTurn(group, async () => {
        const now = this.find(group)
        if (now === null) return
        await this.#note(group, expressionRecords(now, group, found, known))
        for (const { memberId, topicRegex } of now.members.values()) {
          if (found.has(topicRegex)) this.#measure(group, memberId)
        }
      }),
    )
    looking
      .catch((error: unknown) => {
        live.lookUpNotBeforeMs = clock.monotonic() + lookUpRetryMs
        if (!this.#isClosed) this.#options.failed(error, group)
      })
      .finally(() => {
        live.isLookingUp = false
      })
  }

  #inTurn<T>(group: string, work: () => Promise<T>): Promise<T> {
    return this.#turns.take(group, async () => {
      if (this.#isClosed) throw new ClosedError('the group coordinator')
      // Of a log that was opened again, the group is not what it was until it has been replayed.
      await this.#options.storeOf(group).refresh()
      return work()
    })
  }

  #liveOf(group: string): LiveGroup {
    let live = this.#live.get(group)
    if (live === undefined) {
      const sessions = new ConsumerGroupSessions(this.#options.clock)
      live = { sessions, seenChange: 0, isLookingUp: false, lookUpNotBeforeMs: 0, sizes: new Map() }
      this.#live.set(group, live)
    }
    return live
  }

  /** Throws GroupMemoryFullError where there is no room for what a member says. */
  #checkRoom(request: ConsumerGroupHeartbeat): void {
    const { group, memberId, topicNames, topicRegex } = request
    const held = this.#live.get(group)?.sizes.get(memberId)?.sizeBytes ?? 0
    // Who is a member and says nothing new needs no more room than it has.
    if (held > 0 && topicNames === null && topicRegex === null) return
    const said = { ...request, topicNames: topicNames ?? [], topicRegex: topicRegex ?? '' }
    const { memory } = this.#options
    const more = sizeOf(said) - held
    if (more > 0 && !memory.hasRoomFor(more)) {
      throw new GroupMemoryFullError(group, memory.limitBytes)
    }
  }

  /** What a member takes of memory, since something was noted of it. */
  #measure(group: string, memberId: string): void {
    const { sizes, sessions } = this.#liveOf(group)
    const { memory } = this.#options
    const before = sizes.get(memberId)
    if (before !== undefined) memory.letGo(before)
    sizes.delete(memberId)
    const state = this.find(group)
    const member = state?.members.get(memberId)
    if (state === null || member === undefined) {
      sessions.end(memberId)
      return
    }
    const found = state.expressions.get(member.topicRegex)?.topics ?? []
    const held = { sizeBytes: sizeOf(member) + lengthOf(found) }
    memory.hold(held)
    sizes.set(memberId, held)
  }
}

type Said = Pick<
  ConsumerGroupMember,
  'memberId' | 'instanceId' | 'rackId' | 'clientId' | 'topicNames' | 'topicRegex'
>

/** What it takes of memory, about, what a member says of itself. */
function sizeOf({ memberId, instanceId, rackId, clientId, topicNames, topicRegex }: Said): number {
  const own = [memberId, instanceId ?? '', rackId ?? '', clientId, topicRegex]
  return memberBytes + lengthOf(own) + lengthOf(topicNames)
}

function lengthOf(names: readonly string[]): number {
  return names.reduce((sum, { length }) => sum + nameBytes + length, 0)
}

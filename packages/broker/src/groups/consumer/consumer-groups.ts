import { BatchTooLargeError } from '@varve/log'
import { ClosedError } from '../../base/broker-errors.ts'
import type { HandedOverGroup } from '../classic/handed-over-group.ts'
import { localHost } from '../classic/member-state.ts'
import {
  FencedInstanceError,
  type GroupError,
  GroupMemoryFullError,
  GroupNotEmptyError,
  GroupNotFoundError,
  UnknownMemberError,
} from '../group-errors.ts'
import type { JoinRequest, MemberIdentity, MemberName, SyncRequest } from '../group-protocol.ts'
import { type ClassicJoined, ClassicMembers } from './classic-members.ts'
import { fencing, staticLeave, tombstonesOf } from './consumer-group-departure.ts'
import { expressionRecords, expressionsDue, lookUp } from './consumer-group-expressions.ts'
import {
  type ConsumerGroupAnswer,
  type ConsumerGroupHeartbeat,
  type ConsumerGroupSettings,
  type HeartbeatOutcome,
  heartbeatOutcome,
} from './consumer-group-heartbeat.ts'
import { type ConsumerGroupMember, staticLeaveEpoch } from './consumer-group-member.ts'
import type { ConsumerGroupRecord } from './consumer-group-record.ts'
import type { FiredTimer } from './consumer-group-sessions.ts'
import { ConsumerGroupState } from './consumer-group-state.ts'
import type { ConsumerGroupsOptions, HeartbeatCircumstances } from './consumer-groups-options.ts'
import { isDowngrade } from './group-downgrade.ts'
import { GroupTurns } from './group-turns.ts'
import { type UpgradedGroup, upgraded } from './group-upgrade.ts'
import { LiveConsumerGroup, sizeOf } from './live-consumer-group.ts'
import { ProtocolChanges } from './protocol-changes.ts'
import { loadExpressions } from './topic-expression.ts'

/** Members that were there before a restart have so long to be heard of: Kafka's default. */
const restoredSessionMs = 45_000
/** What could not be noted is tried again after so long. */
const retryMs = 5_000
/** What expressions stand for is not looked up again for so long after that has failed. */
const lookUpRetryMs = 10_000

/**
 * The groups of the consumer protocol (KIP-848): the server divides partitions and brings members
 * to their parts one by one. What a group is stands in the log, and only there: whatever is done to
 * it is noted first, and holds when it has been; so nothing is told that a restart could take back.
 */
export class ConsumerGroups {
  readonly #options: ConsumerGroupsOptions
  readonly #live = new Map<string, LiveConsumerGroup>()
  readonly #turns = new GroupTurns()
  readonly #protocolChanges: ProtocolChanges
  readonly #classic: ClassicMembers
  #changes = 1
  #topicsVersion: number
  #isClosed = false

  constructor(options: ConsumerGroupsOptions) {
    this.#options = options
    this.#topicsVersion = options.clock.now()
    this.#protocolChanges = this.#makeProtocolChanges()
    this.#classic = this.#makeClassicMembers()
  }

  /** Takes up a group that was noted: its members have to be heard of. */
  restore(group: string): void {
    const state = this.find(group)
    if (state === null) return
    const ended: ConsumerGroupMember[] = []
    for (const member of state.members.values()) {
      const { memberId, clientHost, classic } = member
      this.#heard(group, memberId, classic?.sessionTimeoutMs ?? restoredSessionMs)
      this.#awaitRevocation(group, member)
      this.#liveOf(group).measure(memberId, state)
      if (classic !== null && clientHost === localHost) ended.push(member)
    }
    if (ended.length > 0) this.#endLocals(group, ended)
  }

  /** A group as it is noted; null where there is none of this kind. */
  find(group: string): ConsumerGroupState | null {
    return this.#options.storeOf(group).consumerGroup(group)
  }

  /** Whether a group is about to change its protocol, or to be one of this kind. */
  isChanging(group: string): boolean {
    return this.#protocolChanges.isChanging(group)
  }

  /** Whether there is such a group, or is about to be one. */
  has(group: string): boolean {
    return this.isChanging(group) || this.find(group) !== null
  }

  /** Resolves when a group has changed its protocol; null where it is not about to. */
  whenChanged(group: string): Promise<void> | null {
    return this.isChanging(group) ? this.#turns.take(group, async () => undefined) : null
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
   * A JoinGroup; see ClassicMembers.join. A group that has no members makes way for a classic one:
   * then the request is that one's.
   */
  join(group: string, request: JoinRequest): Promise<ClassicJoined> {
    return this.#inTurn(group, async () => {
      const state = this.find(group)
      if (state !== null && state.members.size > 0) {
        return this.#classic.join(group, state, request)
      }
      if (state !== null) await this.#forget(group, state)
      return { joined: null, request }
    })
  }

  /** A SyncGroup; see ClassicMembers.sync. */
  sync(group: string, request: SyncRequest): Promise<Buffer> {
    return this.#inTurn(group, async () => {
      return this.#classic.sync(group, this.#members(group, request), request)
    })
  }

  /** A Heartbeat of the classic protocol; see ClassicMembers.heartbeat. */
  classicHeartbeat(group: string, identity: MemberIdentity): void {
    this.#classic.heartbeat(group, this.#members(group, identity), identity)
  }

  /** A LeaveGroup; see ClassicMembers.leave. Null where the group is none of this kind any more. */
  leave(group: string, who: readonly MemberName[]): Promise<(GroupError | null)[] | null> {
    return this.#inTurn(group, async () => {
      const state = this.find(group)
      return state === null ? null : this.#classic.leave(group, state, who)
    })
  }

  /** See ClassicMembers.detach. */
  detach(group: string, memberId: string): void {
    const state = this.find(group)
    if (state !== null) this.#classic.detach(group, state, memberId)
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
    for (const group of this.#live.keys()) this.#classic.tell(group)
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
    const { group } = request
    const outcome = await this.#advance(request, settings)
    const { member, answer, hasNewExpression } = outcome
    this.#heard(group, member.memberId, settings.sessionTimeoutMs)
    this.#maybeLookUp(group, hasNewExpression, isVisible)
    return answer
  }

  async #advance(
    request: ConsumerGroupHeartbeat,
    settings: ConsumerGroupSettings,
  ): Promise<HeartbeatOutcome> {
    const { group, memberEpoch } = request
    const { clock, topics } = this.#options
    const known = this.find(group)
    if (known === null && memberEpoch !== 0) throw new GroupNotFoundError(group)
    this.#checkRoom(request)
    const handed = known === null ? this.#options.classic.handedOver(group) : null
    const hasMembers = handed !== null && handed.members.length > 0
    const upgrade = hasMembers ? this.#upgraded(group, handed, settings) : null
    const state = known ?? upgrade?.state ?? new ConsumerGroupState()
    const changes = this.#changes
    const haveTopicsChanged = this.#live.get(group)?.seenChange !== changes
    const world = { nowMs: clock.now(), topics, settings, haveTopicsChanged }
    const outcome = heartbeatOutcome(state, request, world)
    const records = [...(upgrade?.records ?? []), ...outcome.records]
    if (known === null) await this.#begin(group, records, handed)
    else await this.#note(group, records)
    this.#liveOf(group).seenChange = changes
    this.#awaitRevocation(group, outcome.member)
    return outcome
  }

  #upgraded(
    group: string,
    handed: HandedOverGroup,
    settings: ConsumerGroupSettings,
  ): UpgradedGroup {
    const { storeOf, topics } = this.#options
    const hasRoomFor = storeOf(group).hasRoomFor.bind(storeOf(group))
    return upgraded(group, handed, topics, settings, hasRoomFor)
  }

  /** A group that was none, or a classic one. */
  async #begin(
    group: string,
    records: readonly ConsumerGroupRecord[],
    handed: HandedOverGroup | null,
  ): Promise<void> {
    await this.#protocolChanges.upgrade(group, records, handed)
    this.#classic.takeOver(group, handed?.members ?? [])
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
    } else await this.#putOut(group, state, [member])
    return { memberId, memberEpoch, heartbeatIntervalMs: 0, assignment: null }
  }

  async #putOut(
    group: string,
    state: ConsumerGroupState,
    members: readonly ConsumerGroupMember[],
  ): Promise<void> {
    const { topics, settingsOf } = this.#options
    if (isDowngrade(state, members, 0, settingsOf(group))) {
      try {
        return await this.#protocolChanges.downgrade(group, state, members)
      } catch (error) {
        // More than one record can hold: the group stays of this protocol, without these.
        if (!(error instanceof BatchTooLargeError)) throw error
      }
    }
    await this.#note(group, fencing(state, group, members, topics))
  }

  /** Members of a process that has ended. */
  #endLocals(group: string, ended: readonly ConsumerGroupMember[]): void {
    this.#inTurn(group, async () => {
      const state = this.find(group)
      const left = ended.filter((each) => state?.members.get(each.memberId) === each)
      if (state !== null && left.length > 0) await this.#putOut(group, state, left)
    }).catch((error: unknown) => {
      if (!this.#isClosed) this.#options.failed(error, group)
    })
  }

  async #forget(group: string, state: ConsumerGroupState): Promise<void> {
    await this.#note(group, tombstonesOf(state, group))
    this.#drop(group)
  }

  #drop(group: string): void {
    this.#live.get(group)?.handOver()
    this.#live.delete(group)
  }

  async #note(
    group: string,
    records: readonly ConsumerGroupRecord[],
    isUpgrade: boolean = false,
  ): Promise<void> {
    if (records.length === 0) return
    await this.#options.note(group, records, isUpgrade)
    const state = this.find(group)
    const live = this.#liveOf(group)
    for (const memberId of new Set(
      records.flatMap((each) => ('memberId' in each ? [each.memberId] : [])),
    )) {
      live.measure(memberId, state)
    }
    this.#classic.tell(group)
  }

  #heard(group: string, memberId: string, timeoutMs: number): void {
    const { sessions } = this.#liveOf(group)
    sessions.heard(memberId, timeoutMs, (fired) => this.#expire(group, memberId, fired))
  }

  #awaitRevocation(group: string, member: ConsumerGroupMember): void {
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
      if (state !== null && member !== undefined) await this.#putOut(group, state, [member])
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
          if (found.has(topicRegex)) live.measure(memberId, now)
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
      // Of a log that was opened again, the group is not what it was until it has been replayed.
      await this.#options.storeOf(group).refresh()
      // Meanwhile groups may have been given up, and would be taken for such as never were.
      if (this.#isClosed) throw new ClosedError('the group coordinator')
      return work()
    })
  }

  #liveOf(group: string): LiveConsumerGroup {
    let live = this.#live.get(group)
    if (live === undefined) {
      const { clock, memory } = this.#options
      live = new LiveConsumerGroup(group, clock, memory)
      // What was under way when all was closed is done, and leaves no timers behind.
      if (this.#isClosed) live.sessions.close()
      this.#live.set(group, live)
    }
    return live
  }

  /** Throws UnknownMemberError for a group that is none of this kind. */
  #members(group: string, { memberId }: MemberName): ConsumerGroupState {
    const state = this.find(group)
    if (state === null) throw new UnknownMemberError(group, memberId)
    return state
  }

  /** Throws GroupMemoryFullError where there is no room for what a member says. */
  #checkRoom(request: ConsumerGroupHeartbeat): void {
    const { group, memberId, topicNames, topicRegex } = request
    const held = this.#live.get(group)?.heldBytes(memberId) ?? 0
    // Who is a member and says nothing new needs no more room than it has.
    if (held > 0 && topicNames === null && topicRegex === null) return
    const said = { ...request, topicNames: topicNames ?? [], topicRegex: topicRegex ?? '' }
    const { memory } = this.#options
    const more = sizeOf(said) - held
    if (more > 0 && !memory.hasRoomFor(more)) {
      throw new GroupMemoryFullError(group, memory.limitBytes)
    }
  }

  #makeProtocolChanges(): ProtocolChanges {
    const { clock, topics, classic, noteDowngrade } = this.#options
    return new ProtocolChanges({
      ...{ clock, topics, noteDowngrade },
      ...{ classic, isClosed: () => this.#isClosed },
      noteUpgrade: (group, records) => this.#note(group, records, true),
      localOf: (group, memberId) => this.#liveOf(group).localOf(memberId),
      drop: (group) => this.#drop(group),
    })
  }

  #makeClassicMembers(): ClassicMembers {
    const { topics, newId, settingsOf } = this.#options
    return new ClassicMembers({
      ...{ topics, newId, settings: settingsOf },
      find: (group) => this.find(group),
      live: (group) => this.#liveOf(group),
      changes: () => this.#changes,
      advance: async (request, settings) => (await this.#advance(request, settings)).member,
      putOut: (group, state, members) => this.#putOut(group, state, members),
      replaceLast: (...change) => this.#protocolChanges.replaceLast(...change),
      heard: (group, memberId, timeoutMs) => this.#heard(group, memberId, timeoutMs),
      expire: (group, memberId, fired) => this.#expire(group, memberId, fired),
    })
  }
}

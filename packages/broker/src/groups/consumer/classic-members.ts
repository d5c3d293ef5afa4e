import { BatchTooLargeError } from '@varve/log'
import type { HandedOverMember } from '../classic/handed-over-group.ts'
import {
  GroupError,
  InconsistentGroupProtocolError,
  MemberIdRequiredError,
  RebalanceInProgressError,
} from '../group-errors.ts'
import type {
  JoinRequest,
  JoinResult,
  LocalMember,
  MemberIdentity,
  MemberName,
  SyncRequest,
} from '../group-protocol.ts'
import { type GroupTopics, metadataHashOf } from '../group-topics.ts'
import {
  checkBelief,
  classicMember,
  isLeftToClassic,
  isToRejoin,
  joinAsHeartbeat,
  memberLeaving,
} from './classic-membership.ts'
import type { ConsumerGroupHeartbeat, ConsumerGroupSettings } from './consumer-group-heartbeat.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'
import type { FiredTimer } from './consumer-group-sessions.ts'
import type { ConsumerGroupState } from './consumer-group-state.ts'
import { assignmentBytes, isDowngrade, namesOf } from './group-downgrade.ts'
import type { LiveConsumerGroup } from './live-consumer-group.ts'

/** What becomes of a join: its answer, or what is to be asked of the classic group instead. */
export type ClassicJoined =
  | { readonly joined: JoinResult }
  | { readonly joined: null; readonly request: JoinRequest }

/** What is done to a group for its members of the classic protocol, one after the other. */
export interface ClassicMembersHost {
  readonly topics: GroupTopics
  newId(): string
  settings(group: string): ConsumerGroupSettings
  find(group: string): ConsumerGroupState | null
  live(group: string): LiveConsumerGroup
  /** Counts changes of topics. */
  changes(): number
  /** Notes what a member's request leads to. Rejects with GroupError. */
  advance(
    request: ConsumerGroupHeartbeat,
    settings: ConsumerGroupSettings,
  ): Promise<ConsumerGroupMember>
  putOut(
    group: string,
    state: ConsumerGroupState,
    members: readonly ConsumerGroupMember[],
  ): Promise<void>
  /** See ProtocolChanges.replaceLast. */
  replaceLast(
    group: string,
    state: ConsumerGroupState,
    replaced: ConsumerGroupMember,
    request: JoinRequest,
    said: ConsumerGroupHeartbeat,
  ): Promise<ClassicJoined>
  heard(group: string, memberId: string, timeoutMs: number): void
  expire(group: string, memberId: string, fired: FiredTimer): void
}

/**
 * Members of the classic protocol in groups of the consumer protocol (KIP-848): they join again and
 * again, and each time are brought a step nearer to their target.
 */
export class ClassicMembers {
  readonly #host: ClassicMembersHost

  constructor(host: ClassicMembersHost) {
    this.#host = host
  }

  /**
   * A JoinGroup to a group that has members, in its turn. Rejects with GroupError of all kinds,
   * with InconsistentGroupProtocolError where the policy has no members of both kinds.
   */
  async join(
    group: string,
    state: ConsumerGroupState,
    request: JoinRequest,
  ): Promise<ClassicJoined> {
    const host = this.#host
    const settings = host.settings(group)
    const { groupInstanceId, local } = request
    if (settings.migrationPolicy === 'disabled') {
      throw new InconsistentGroupProtocolError(group, ['classic'], ['consumer'])
    }
    const memberId = request.memberId === '' ? host.newId() : request.memberId
    const said = joinAsHeartbeat(state, group, request, memberId, host.topics)
    const isNewDynamic = request.memberId === '' && groupInstanceId === null
    if (isNewDynamic && request.needsKnownId === true) {
      throw new MemberIdRequiredError(group, memberId)
    }
    const replaced = groupInstanceId === null ? undefined : state.instance(groupInstanceId)
    const isNewStatic = replaced !== undefined && request.memberId === ''
    if (isNewStatic && isDowngrade(state, [replaced], 1, settings)) {
      try {
        return await host.replaceLast(group, state, replaced, request, said)
      } catch (error) {
        // More than one record can hold: the group stays of this protocol.
        if (!(error instanceof BatchTooLargeError)) throw error
      }
    }
    // Nobody else would come to ask when the time is over.
    const isAlone = isLeftToClassic(state)
    const member = await host.advance(said, {
      ...settings,
      ...(isAlone ? { assignmentIntervalMs: 0 } : {}),
    })
    this.#joined(group, member, request.sessionTimeoutMs, local)
    return { joined: joinedAs(member) }
  }

  /** A SyncGroup: answered at once. Throws as `heartbeat` does, InconsistentGroupProtocolError. */
  sync(group: string, state: ConsumerGroupState, request: SyncRequest): Buffer {
    const { member, classic } = classicMember(state, group, request)
    const { memberId } = member
    checkBelief(group, classic, request)
    if (state.targetEpoch > member.memberEpoch && member.state !== 'unrevoked') {
      this.#awaitJoin(group, member)
      throw new RebalanceInProgressError(group)
    }
    this.#host.live(group).sessions.synced(memberId)
    this.#heard(group, memberId, classic.sessionTimeoutMs)
    return assignmentBytes(member.assigned, classic, namesOf(state, member, this.#host.topics))
  }

  /**
   * Throws RebalanceInProgressError where the member is to join again, UnknownMemberError,
   * IllegalGenerationError, FencedInstanceError.
   */
  heartbeat(group: string, state: ConsumerGroupState, identity: MemberIdentity): void {
    const { member, classic } = classicMember(state, group, identity)
    this.#heard(group, member.memberId, classic.sessionTimeoutMs)
    if (!isToRejoin(state, member) && !this.#isTargetDue(group, state)) return
    this.#awaitJoin(group, member)
    throw new RebalanceInProgressError(group)
  }

  /** A LeaveGroup, in the group's turn: why each could not be taken out; null where it was. */
  async leave(
    group: string,
    state: ConsumerGroupState,
    who: readonly MemberName[],
  ): Promise<(GroupError | null)[]> {
    const found = who.map((each) => memberLeaving(state, group, each))
    const leaving = new Set(found.filter((each) => !(each instanceof GroupError)))
    if (leaving.size > 0)
      await this.#host.putOut(group, state, [...leaving] as ConsumerGroupMember[])
    return found.map((each) => (each instanceof GroupError ? each : null))
  }

  /** A static member of this process stops: it keeps its part for its session's time. */
  detach(group: string, state: ConsumerGroupState, memberId: string): void {
    const member = state.members.get(memberId)
    if (member?.classic == null || member.instanceId === null) return
    this.#host.live(group).place(memberId, null, null)
    this.#heard(group, memberId, member.classic.sessionTimeoutMs)
  }

  /** After something was noted: members of this process are told at once that they are to join. */
  tell(group: string): void {
    const host = this.#host
    const state = host.find(group)
    if (state === null) return
    for (const [memberId, local] of host.live(group).locals) {
      const member = state.members.get(memberId)
      if (member === undefined || !(isToRejoin(state, member) || this.#isTargetDue(group, state))) {
        continue
      }
      this.#awaitJoin(group, member)
      local.rebalance()
    }
  }

  /** Members that were there before the group changed its protocol. */
  takeOver(group: string, members: readonly HandedOverMember[]): void {
    const host = this.#host
    const live = host.live(group)
    for (const { memberId, groupInstanceId, local, sessionTimeoutMs } of members) {
      live.place(memberId, groupInstanceId, local)
      const state = host.find(group)
      // Another has taken its place with the change: of this process it has to be told.
      if (state?.members.has(memberId) !== true) live.measure(memberId, state)
      else this.#heard(group, memberId, sessionTimeoutMs)
    }
    this.tell(group)
  }

  #joined(
    group: string,
    { memberId, instanceId, rebalanceTimeoutMs }: ConsumerGroupMember,
    sessionTimeoutMs: number,
    local: LocalMember | null,
  ): void {
    const live = this.#host.live(group)
    live.place(memberId, instanceId, local)
    this.#heard(group, memberId, sessionTimeoutMs)
    live.sessions.joined(memberId, rebalanceTimeoutMs, (fired) => {
      this.#host.expire(group, memberId, fired)
    })
  }

  #awaitJoin(group: string, { memberId, rebalanceTimeoutMs }: ConsumerGroupMember): void {
    this.#host.live(group).sessions.rejoining(memberId, rebalanceTimeoutMs, (fired) => {
      this.#host.expire(group, memberId, fired)
    })
  }

  /** Members of this process have no session: the process lives. */
  #heard(group: string, memberId: string, timeoutMs: number): void {
    if (this.#host.live(group).localOf(memberId) !== null) return
    this.#host.heard(group, memberId, timeoutMs)
  }

  /**
   * Whether a target is to be computed that no member of the consumer protocol may come to ask for.
   * Kafka leaves that to them, and a group that has none waits for a member to join.
   */
  #isTargetDue(group: string, state: ConsumerGroupState): boolean {
    const host = this.#host
    const live = host.live(group)
    const isSeen = live.seenChange === host.changes()
    if ((isSeen && state.epoch === state.targetEpoch) || !isLeftToClassic(state)) return false
    if (!isSeen) {
      const isAnother = metadataHashOf(state.subscribedTopics, host.topics) !== state.metadataHash
      if (isAnother) return true
      live.seenChange = host.changes()
    }
    return state.epoch > state.targetEpoch
  }
}

function joinedAs(member: ConsumerGroupMember): JoinResult {
  return {
    ...{ memberId: member.memberId, generation: member.memberEpoch },
    protocol: member.classic?.protocols[0]?.name ?? '',
    // The server divides.
    ...{ leader: '', members: [], skipAssignment: false },
  }
}

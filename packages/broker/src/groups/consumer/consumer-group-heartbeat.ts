import { FencedInstanceError, UnknownMemberError } from '../group-errors.ts'
import { type GroupTopics, idsOf, metadataHashOf } from '../group-topics.ts'
import {
  isWithin,
  listPartitions,
  sameAssigned,
  type TargetPartitions,
  type TopicIdPartitions,
} from './assigned-partitions.ts'
import { departureOf } from './consumer-group-departure.ts'
import {
  FencedMemberEpochError,
  GroupFullError,
  UnreleasedInstanceError,
} from './consumer-group-errors.ts'
import {
  type ClassicMembership,
  type ConsumerGroupMember,
  isReconciledTo,
  newConsumerGroupMember,
  sameNames,
  saysTheSame,
  staticLeaveEpoch,
} from './consumer-group-member.ts'
import type { ConsumerGroupRecord } from './consumer-group-record.ts'
import { type ConsumerGroupState, notedAssignment } from './consumer-group-state.ts'
import { newTarget } from './consumer-group-target.ts'
import { ExpressionChange } from './expression-change.ts'
import type { GroupMigrationPolicy } from './group-migration-policy.ts'
import { reconciled } from './member-reconciliation.ts'

/** How a group is led, which may be another for each. */
export interface ConsumerGroupSettings {
  /** Silence after which a member counts as gone. */
  readonly sessionTimeoutMs: number
  /** How often members are to be heard of. */
  readonly heartbeatIntervalMs: number
  /** So long a division stands at least. */
  readonly assignmentIntervalMs: number
  readonly membersMax: number
  /** Which way a group with members may change its protocol. */
  readonly migrationPolicy: GroupMigrationPolicy
  /** So many members a group of the classic protocol may have. */
  readonly classicMembersMax: number
}

/** Kafka's defaults, which hold where nobody serves the groups. */
export const usualSettings: ConsumerGroupSettings = {
  ...{ sessionTimeoutMs: 45_000, heartbeatIntervalMs: 5_000, assignmentIntervalMs: 1_000 },
  ...{ membersMax: 2 ** 31 - 1, migrationPolicy: 'bidirectional', classicMembersMax: 2 ** 31 - 1 },
}

/** What a member says: Kafka's ConsumerGroupHeartbeat, checked for itself. */
export interface ConsumerGroupHeartbeat {
  readonly group: string
  readonly memberId: string
  /** 0 for who joins or joins again, -1 for who leaves, -2 for a static member that may be back. */
  readonly memberEpoch: number
  readonly instanceId: string | null
  /** Null where it is as before, as all of these. */
  readonly rackId: string | null
  readonly rebalanceTimeoutMs: number | null
  readonly topicNames: readonly string[] | null
  readonly topicRegex: string | null
  readonly serverAssignor: string | null
  readonly owned: readonly TopicIdPartitions[] | null
  readonly clientId: string
  readonly clientHost: string
  /** From a member that joins by the classic protocol. @defaultValue null */
  readonly classic?: ClassicJoin | null
}

/** What a member of the classic protocol is beside. */
export interface ClassicJoin extends ClassicMembership {
  /** Whether it joins again, as who it is by its id. */
  readonly knowsId: boolean
}

export interface ConsumerGroupAnswer {
  readonly memberId: string
  readonly memberEpoch: number
  readonly heartbeatIntervalMs: number
  /** Null where it is as before. */
  readonly assignment: readonly TopicIdPartitions[] | null
}

/** What has to be known for an answer. */
export interface HeartbeatWorld {
  readonly nowMs: number
  readonly topics: GroupTopics
  readonly settings: ConsumerGroupSettings
  /** Whether topics have changed since the group was last looked at. */
  readonly haveTopicsChanged: boolean
}

export interface HeartbeatOutcome {
  /** To be noted, all or none of them, before the answer is given. */
  readonly records: readonly ConsumerGroupRecord[]
  readonly member: ConsumerGroupMember
  readonly answer: ConsumerGroupAnswer
  /** Whether a regular expression has come that nobody had. */
  readonly hasNewExpression: boolean
}

/**
 * What a member's heartbeat leads to, by Kafka's rules: who is new or says something else is noted,
 * and the group comes into a new epoch where that matters; a target of an older epoch is computed
 * anew; and the member is brought a step nearer to it. Throws GroupError of all kinds.
 */
export function heartbeatOutcome(
  state: ConsumerGroupState,
  request: ConsumerGroupHeartbeat,
  world: HeartbeatWorld,
): HeartbeatOutcome {
  checkRoom(state, request, world.settings.membersMax)
  const { member, replaced } = memberOf(state, request)
  const records: ConsumerGroupRecord[] =
    replaced === null ? [] : takeover(state, request, replaced, member)
  const updated = updatedBy(member, request)
  const { group } = request
  if (!saysTheSame(member, updated)) {
    records.push({ kind: 'member', group, memberId: updated.memberId, value: updated })
  }
  const expression = new ExpressionChange(state, group, member, updated, replaced)
  records.push(...expression.records)
  const isNewToNames = !sameNames(member.topicNames, updated.topicNames)
  const step: Step = { ...{ state, request, world, replaced, updated, expression }, records }
  const epoch = maybeNewEpoch(step, isNewToNames || expression.isResolved)
  const { targetEpoch, target } = maybeNewTarget(step, epoch)
  const hasSubscriptionChanged = isNewToNames || expression.isAnother
  const next = reconcile(step, targetEpoch, target, hasSubscriptionChanged)
  const { settings } = world
  const isWhole =
    request.rebalanceTimeoutMs !== null &&
    (request.topicNames !== null || request.topicRegex !== null) &&
    request.owned !== null
  const isTold =
    request.memberEpoch === 0 || isWhole || !sameAssigned(member.assigned, next.assigned)
  const answer = {
    memberId: next.memberId,
    memberEpoch: next.memberEpoch,
    heartbeatIntervalMs: settings.heartbeatIntervalMs,
    assignment: isTold ? listPartitions(next.assigned) : null,
  }
  return { records, member: next, answer, hasNewExpression: expression.isUnknown }
}

interface Step {
  readonly state: ConsumerGroupState
  readonly request: ConsumerGroupHeartbeat
  readonly world: HeartbeatWorld
  /** The static member whose place is taken; null where there is none. */
  readonly replaced: ConsumerGroupMember | null
  readonly updated: ConsumerGroupMember
  readonly expression: ExpressionChange
  readonly records: ConsumerGroupRecord[]
}

function checkRoom(state: ConsumerGroupState, request: ConsumerGroupHeartbeat, max: number): void {
  if (state.members.size >= max && !state.members.has(request.memberId)) {
    throw new GroupFullError(request.group, max)
  }
}

/** Who speaks; and whose place it takes, if it is a static member that is back. */
function memberOf(
  state: ConsumerGroupState,
  request: ConsumerGroupHeartbeat,
): { readonly member: ConsumerGroupMember; readonly replaced: ConsumerGroupMember | null } {
  const { group, memberId, memberEpoch, instanceId, classic = null } = request
  const isJoining = memberEpoch === 0 && classic?.knowsId !== true
  if (instanceId === null) {
    const known = state.members.get(memberId)
    if (known === undefined && memberEpoch !== 0) throw new UnknownMemberError(group, memberId)
    const member = known ?? newConsumerGroupMember(memberId)
    checkEpoch(member, request)
    return { member, replaced: null }
  }
  const known = state.instance(instanceId)
  if (!isJoining) {
    if (known === undefined) throw new UnknownMemberError(group, memberId)
    if (known.memberId !== memberId) throw new FencedInstanceError(group, instanceId)
    checkEpoch(known, request)
    return { member: known, replaced: null }
  }
  if (known === undefined) {
    return {
      member: state.members.get(memberId) ?? newConsumerGroupMember(memberId),
      replaced: null,
    }
  }
  // Of the classic protocol whoever comes last has the name.
  const isClassic = classic !== null || known.classic !== null
  if (!isClassic && known.memberEpoch !== staticLeaveEpoch) {
    throw new UnreleasedInstanceError(group, instanceId)
  }
  const member = { ...known, memberId, memberEpoch: 0, previousMemberEpoch: 0 }
  return { member, replaced: known }
}

/** Whose last answer got lost comes with the epoch before, and no more than it was given. */
function checkEpoch(member: ConsumerGroupMember, request: ConsumerGroupHeartbeat): void {
  const { memberEpoch: received, owned } = request
  if (received === 0 || received === member.memberEpoch) return
  const isLast = received === member.previousMemberEpoch && received < member.memberEpoch
  if (isLast && owned !== null && isWithin(owned, member.assigned)) return
  throw new FencedMemberEpochError(request.group, member.memberId, member.memberEpoch)
}

function takeover(
  state: ConsumerGroupState,
  { group }: ConsumerGroupHeartbeat,
  replaced: ConsumerGroupMember,
  member: ConsumerGroupMember,
): ConsumerGroupRecord[] {
  const { memberId } = member
  const target = listPartitions(state.target(replaced.memberId))
  return [
    ...departureOf(group, replaced.memberId),
    { kind: 'member', group, memberId, value: member },
    { kind: 'target', group, memberId, value: target },
    { kind: 'current', group, memberId, value: notedAssignment(member) },
  ]
}

function updatedBy(
  member: ConsumerGroupMember,
  request: ConsumerGroupHeartbeat,
): ConsumerGroupMember {
  const { topicNames, classic = null } = request
  return {
    ...member,
    instanceId: request.instanceId ?? member.instanceId,
    rackId: request.rackId ?? member.rackId,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs ?? member.rebalanceTimeoutMs,
    serverAssignor: request.serverAssignor ?? member.serverAssignor,
    topicNames: topicNames === null ? member.topicNames : [...new Set(topicNames)].sort(),
    topicRegex: request.topicRegex ?? member.topicRegex,
    clientId: request.clientId,
    clientHost: request.clientHost,
    classic:
      classic === null
        ? null
        : { sessionTimeoutMs: classic.sessionTimeoutMs, protocols: classic.protocols },
  }
}

/** The members as they will be. */
function membersAfter({ state, replaced, updated }: Step): ConsumerGroupMember[] {
  const { memberId } = updated
  const members: ConsumerGroupMember[] = []
  for (const each of state.members.values()) {
    if (each.memberId === replaced?.memberId || each.memberId === memberId) members.push(updated)
    else members.push(each)
  }
  return members.includes(updated) ? members : [...members, updated]
}

function maybeNewEpoch(step: Step, isBumped: boolean): number {
  const { state, request, world, expression, records } = step
  if (!isBumped && !world.haveTopicsChanged) return state.epoch
  const topics = new Set<string>()
  for (const { topicNames } of membersAfter(step)) for (const name of topicNames) topics.add(name)
  for (const [each, { topics: found }] of state.expressions) {
    if (each !== expression.dropped) for (const name of found) topics.add(name)
  }
  const metadataHash = metadataHashOf(topics, world.topics)
  const isNew = isBumped || metadataHash !== state.metadataHash
  const epoch = isNew ? state.epoch + 1 : state.epoch
  const { group } = request
  if (isNew) records.push({ kind: 'epoch', group, value: { epoch, metadataHash } })
  if (state.hasNotedTopics) records.push({ kind: 'topics', group, value: null })
  return epoch
}

function maybeNewTarget(
  step: Step,
  epoch: number,
): { readonly targetEpoch: number; readonly target: TargetPartitions } {
  const { state, request, world, replaced, updated, records } = step
  const { nowMs, settings, topics } = world
  const { targetTimestamp, targetEpoch } = state
  const former = replaced?.memberId ?? updated.memberId
  const isDue =
    targetTimestamp === 0 ||
    settings.assignmentIntervalMs === 0 ||
    nowMs >= targetTimestamp + settings.assignmentIntervalMs ||
    // The clock was set back.
    nowMs < targetTimestamp
  if (targetEpoch >= epoch || !isDue) return { targetEpoch, target: state.target(former) }
  const computed = newTarget(state, {
    ...{ group: request.group, epoch, nowMs, topics },
    members: membersAfter(step),
    formerIds: new Map([[updated.memberId, former]]),
  })
  records.push(...computed.records)
  return { targetEpoch: epoch, target: computed.targets.get(updated.memberId) ?? new Map() }
}

function reconcile(
  { state, request, world, updated, records }: Step,
  targetEpoch: number,
  target: TargetPartitions,
  hasSubscriptionChanged: boolean,
): ConsumerGroupMember {
  if (!hasSubscriptionChanged && isReconciledTo(updated, targetEpoch)) return updated
  const { group, owned } = request
  const next = reconciled(updated, {
    ...{ group, targetEpoch, target, hasSubscriptionChanged, owned },
    topicIds: idsOf(state.topicsOf(updated), world.topics),
    isOwned: (topicId, partition) => state.isOwned(topicId, partition),
  })
  if (!isSameStep(next, updated)) {
    const { memberId } = next
    records.push({ kind: 'current', group, memberId, value: notedAssignment(next) })
  }
  return next
}

function isSameStep(one: ConsumerGroupMember, other: ConsumerGroupMember): boolean {
  return (
    one === other ||
    (one.state === other.state &&
      one.memberEpoch === other.memberEpoch &&
      one.previousMemberEpoch === other.previousMemberEpoch &&
      sameAssigned(one.assigned, other.assigned) &&
      sameAssigned(one.revoking, other.revoking))
  )
}

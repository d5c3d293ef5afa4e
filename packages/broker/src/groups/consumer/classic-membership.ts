import { BatchTooLargeError } from '@varve/log'
import { decodeSubscription, type Subscription } from '../consumer-protocol.ts'
import {
  CorruptGroupRecordError,
  FencedInstanceError,
  type GroupError,
  IllegalGenerationError,
  InconsistentGroupProtocolError,
  UnknownMemberError,
} from '../group-errors.ts'
import type { JoinRequest, MemberIdentity, MemberName, SyncRequest } from '../group-protocol.ts'
import type { GroupTopics } from '../group-topics.ts'
import type { TopicIdPartitions } from './assigned-partitions.ts'
import type { ConsumerGroupHeartbeat } from './consumer-group-heartbeat.ts'
import {
  type ClassicMembership,
  type ConsumerGroupMember,
  staticLeaveEpoch,
} from './consumer-group-member.ts'
import type { ConsumerGroupState } from './consumer-group-state.ts'
import { consumerProtocolType } from './group-upgrade.ts'

// Members of the classic protocol in a group of the consumer protocol: what they say, by Kafka's
// rules, and what it means to the group.

/** What a member offers is noted with it, in a batch of so much at most. */
const offeredBytesMax = 2 ** 20

/** One that speaks the classic protocol. */
export interface ClassicMember {
  readonly member: ConsumerGroupMember
  readonly classic: ClassicMembership
}

/**
 * What a JoinGroup comes to: a heartbeat of somebody who joins. Throws
 * InconsistentGroupProtocolError for who has no protocol in common with the classic members, and
 * for what cannot be read; BatchTooLargeError for what could not be noted, before it is read.
 */
export function joinAsHeartbeat(
  state: ConsumerGroupState,
  group: string,
  request: JoinRequest,
  memberId: string,
  topics: GroupTopics,
): ConsumerGroupHeartbeat {
  const { groupInstanceId, clientId, clientHost, sessionTimeoutMs, protocols } = request
  const bytes = protocols.reduce(
    (sum, { name, metadata }) => sum + name.length + metadata.length,
    0,
  )
  if (bytes > offeredBytesMax)
    throw new BatchTooLargeError(bytes, 'maxMessageBytes', offeredBytesMax)
  checkProtocols(state, group, request)
  const subscription = subscriptionIn(group, request)
  return {
    ...{ group, memberId, memberEpoch: 0, instanceId: groupInstanceId },
    rackId: subscription.rackId || null,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    ...{ topicNames: subscription.topics, topicRegex: '', serverAssignor: null },
    owned: ownedIn(subscription, topics),
    ...{ clientId, clientHost },
    classic: { sessionTimeoutMs, protocols, knowsId: request.memberId !== '' },
  }
}

function checkProtocols(
  state: ConsumerGroupState,
  group: string,
  { protocolType, protocols }: JoinRequest,
): void {
  const isOfType = protocolType === consumerProtocolType
  if (isOfType && protocols.some(({ name }) => state.isOfferedByAll(name))) return
  const offered = [protocolType, ...protocols.map(({ name }) => name)]
  throw new InconsistentGroupProtocolError(group, offered, [
    consumerProtocolType,
    ...state.commonProtocols,
  ])
}

/** All protocols come with the same one. */
function subscriptionIn(group: string, { protocols }: JoinRequest): Subscription {
  const [first] = protocols
  try {
    return decodeSubscription(first?.metadata ?? Buffer.alloc(0))
  } catch (error) {
    if (!(error instanceof CorruptGroupRecordError)) throw error
    throw new InconsistentGroupProtocolError(group, [error.message], [consumerProtocolType])
  }
}

function ownedIn({ ownedPartitions }: Subscription, topics: GroupTopics): TopicIdPartitions[] {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of ownedPartitions) {
    const topicId = topics.find(topic)?.topicId
    if (topicId === undefined) continue
    const partitions = byTopic.get(topicId) ?? []
    byTopic.set(topicId, partitions)
    partitions.push(partition)
  }
  return [...byTopic].map(([topicId, partitions]) => ({ topicId, partitions }))
}

/**
 * Who speaks. Throws UnknownMemberError, also for a member of the consumer protocol,
 * FencedInstanceError, IllegalGenerationError.
 */
export function classicMember(
  state: ConsumerGroupState,
  group: string,
  identity: MemberIdentity,
): ClassicMember {
  const member = memberNamed(state, group, identity)
  const { memberEpoch, classic } = member
  if (classic === null) throw new UnknownMemberError(group, identity.memberId)
  if (memberEpoch === identity.generation) return { member, classic }
  throw new IllegalGenerationError(group, identity.generation, memberEpoch)
}

function memberNamed(
  state: ConsumerGroupState,
  group: string,
  { memberId, groupInstanceId }: MemberName,
): ConsumerGroupMember {
  const isStatic = groupInstanceId !== null
  const member = isStatic ? state.instance(groupInstanceId) : state.members.get(memberId)
  if (member === undefined) throw new UnknownMemberError(group, memberId)
  if (isStatic && member.memberId !== memberId) {
    throw new FencedInstanceError(group, groupInstanceId)
  }
  return member
}

/** Who is to be taken out; a static member may be named by its instance alone. Or why it is not. */
export function memberLeaving(
  state: ConsumerGroupState,
  group: string,
  who: MemberName,
): ConsumerGroupMember | GroupError {
  const { groupInstanceId } = who
  const isNamedAlone = groupInstanceId !== null && who.memberId === ''
  const named = isNamedAlone ? state.instance(groupInstanceId) : undefined
  try {
    return named ?? memberNamed(state, group, who)
  } catch (error) {
    if (error instanceof UnknownMemberError || error instanceof FencedInstanceError) return error
    throw error
  }
}

/** Throws InconsistentGroupProtocolError for a member that believes to be in another group. */
export function checkBelief(
  group: string,
  { protocols }: ClassicMembership,
  { protocolType, protocol }: SyncRequest,
): void {
  const name = protocols[0]?.name ?? ''
  const believed = [protocolType ?? consumerProtocolType, protocol ?? name]
  const actual = [consumerProtocolType, name]
  if (believed.every((each, index) => each === actual[index])) return
  throw new InconsistentGroupProtocolError(group, believed, actual)
}

/** Whether nobody of the consumer protocol is there to ask for anything: static ones are away. */
export function isLeftToClassic({ members, classicCount }: ConsumerGroupState): boolean {
  let away = 0
  if (classicCount < members.size) {
    for (const { memberEpoch } of members.values()) if (memberEpoch === staticLeaveEpoch) away += 1
  }
  return classicCount + away === members.size
}

/**
 * Whether a member of the classic protocol is to join again: there is a newer target, it has to
 * say that it has given up partitions, or what it waits for is free.
 */
export function isToRejoin(state: ConsumerGroupState, member: ConsumerGroupMember): boolean {
  if (member.memberEpoch < state.targetEpoch || member.state === 'unrevoked') return true
  return member.state === 'unreleased' && !waitsForOthers(state, member)
}

function waitsForOthers(state: ConsumerGroupState, member: ConsumerGroupMember): boolean {
  for (const [topicId, partitions] of state.target(member.memberId)) {
    for (const partition of partitions) {
      const isOwn = member.assigned.get(topicId)?.has(partition) === true
      if (!isOwn && state.isOwned(topicId, partition)) return true
    }
  }
  return false
}

import type { TopicPartition } from '../../base/topic-partition.ts'
import {
  type HandedOverGroup,
  type HandedOverMember,
  subscriptionOf,
} from '../classic/handed-over-group.ts'
import { decodeAssignment, decodeSubscription, type Subscription } from '../consumer-protocol.ts'
import { CorruptGroupRecordError, GroupNotUpgradableError } from '../group-errors.ts'
import { type GroupTopics, metadataHashOf } from '../group-topics.ts'
import { type AssignedPartitions, listPartitions, noPartitions } from './assigned-partitions.ts'
import type { ConsumerGroupSettings } from './consumer-group-heartbeat.ts'
import { type ConsumerGroupMember, newConsumerGroupMember } from './consumer-group-member.ts'
import type { ConsumerGroupRecord } from './consumer-group-record.ts'
import { ConsumerGroupState, notedAssignment } from './consumer-group-state.ts'
import { isTooMuch, mayUpgrade } from './group-migration-policy.ts'

/** What members of consumers' groups are of, whichever assignor they have. */
export const consumerProtocolType = 'consumer'

const tooMuch = 'what its members say is more than can be noted at once'

/** A group as it is when it has changed its protocol, and what notes it. */
export interface UpgradedGroup {
  readonly state: ConsumerGroupState
  readonly records: readonly ConsumerGroupRecord[]
}

/**
 * What a group of the classic protocol becomes when a member of the consumer protocol comes, by
 * Kafka's rules: its generation is the epoch, its members speak the classic protocol on, and have
 * what they were given last. Throws GroupNotUpgradableError.
 *
 * @param hasRoomFor whether records can be noted at once
 */
export function upgraded(
  group: string,
  handed: HandedOverGroup,
  topics: GroupTopics,
  settings: ConsumerGroupSettings,
  hasRoomFor: (records: readonly ConsumerGroupRecord[]) => boolean = () => true,
): UpgradedGroup {
  checkUpgrade(group, handed, settings)
  const members = membersOf(group, handed, topics)
  const names = new Set(members.flatMap(({ topicNames }) => topicNames))
  // Who takes the place of a static member brings no new epoch by itself: no topics have this hash.
  const isDivided = handed.isStable && areAllGiven(members, names, topics)
  const metadataHash = isDivided ? metadataHashOf(names, topics) : 0n
  const epoch = handed.generation
  const records: ConsumerGroupRecord[] = [
    ...members.map((value): ConsumerGroupRecord => {
      return { kind: 'member', group, memberId: value.memberId, value }
    }),
    { kind: 'epoch', group, value: { epoch, metadataHash } },
    ...members.map(({ memberId, assigned }): ConsumerGroupRecord => {
      return { kind: 'target', group, memberId, value: listPartitions(assigned) }
    }),
    // Of no time: it is computed anew at once, since somebody has come.
    { kind: 'targetEpoch', group, value: { epoch, timestamp: 0 } },
    ...members.map((member): ConsumerGroupRecord => {
      return { kind: 'current', group, memberId: member.memberId, value: notedAssignment(member) }
    }),
  ]
  if (!hasRoomFor(records)) throw new GroupNotUpgradableError(group, tooMuch)
  const state = new ConsumerGroupState()
  for (const record of records) state.apply(record)
  return { state, records }
}

function areAllGiven(
  members: readonly ConsumerGroupMember[],
  names: ReadonlySet<string>,
  topics: GroupTopics,
): boolean {
  let left = 0
  for (const name of names) left += topics.find(name)?.partitionCount ?? 0
  for (const { assigned } of members) for (const of of assigned.values()) left -= of.size
  return left === 0
}

function checkUpgrade(
  group: string,
  { protocolType, members }: HandedOverGroup,
  { migrationPolicy, membersMax }: ConsumerGroupSettings,
): void {
  const refuse = (reason: string): never => {
    throw new GroupNotUpgradableError(group, reason)
  }
  if (!mayUpgrade(migrationPolicy)) refuse('online upgrade is disabled')
  if (protocolType !== consumerProtocolType) {
    refuse('the group does not use the consumer embedded protocol')
  }
  if (members.length > membersMax) {
    refuse('the group size exceeds the consumer group maximum size')
  }
  // What a member was given is noted as its target and as what it has, with epochs.
  const said = members.map(({ protocols, assignment }) => {
    return { protocols, has: 3 * assignment.length }
  })
  if (isTooMuch(said)) refuse(tooMuch)
}

function membersOf(
  group: string,
  handed: HandedOverGroup,
  topics: GroupTopics,
): ConsumerGroupMember[] {
  const { generation } = handed
  const said = handed.members.map((each) => {
    return { each, ...understood(group, each.assignment, subscriptionOf(each, handed.protocol)) }
  })
  const assigned = assignedOf(said, handed, topics)
  return said.map(({ each, subscription }) => {
    const { memberId, groupInstanceId, clientId, clientHost, rebalanceTimeoutMs } = each
    const { sessionTimeoutMs, protocols } = each
    return {
      ...newConsumerGroupMember(memberId),
      ...{ memberEpoch: generation, previousMemberEpoch: generation },
      assigned: assigned.get(memberId) ?? noPartitions,
      ...{ instanceId: groupInstanceId, rackId: subscription.rackId || null },
      ...{ clientId, clientHost, rebalanceTimeoutMs },
      topicNames: [...new Set(subscription.topics)].sort(),
      classic: { sessionTimeoutMs, protocols },
    }
  })
}

/**
 * What each member has: what it was given last, and what it had before if nobody else has that. In
 * a rebalance that may be more than Kafka takes it to have, so that nobody is given what another
 * has not given up yet; it says what it still has when it joins again.
 */
function assignedOf(
  said: readonly Said[],
  { isStable, generation }: HandedOverGroup,
  topics: GroupTopics,
): ReadonlyMap<string, AssignedPartitions> {
  const assigned = new Map<string, Map<string, Map<number, number>>>()
  const taken = new Set<string>()
  const take = ({ each: { memberId } }: Said, partitions: readonly TopicPartition[]): void => {
    for (const { topic, partition } of partitions) {
      const found = topics.find(topic)
      const key = `${partition} ${topic}`
      // A leader of the classic protocol may have given a partition to two.
      if (found === null || partition >= found.partitionCount || taken.has(key)) continue
      taken.add(key)
      const own = assigned.get(memberId) ?? new Map<string, Map<number, number>>()
      assigned.set(memberId, own)
      const of = own.get(found.topicId) ?? new Map<number, number>()
      own.set(found.topicId, of)
      of.set(partition, generation)
    }
  }
  // Who was given something later has it, whatever another says.
  const byAge = [...said].sort((one, other) => other.since - one.since)
  if (isStable) for (const each of said) take(each, each.given)
  for (const each of byAge) take(each, each.owned)
  if (!isStable) for (const each of said) take(each, each.given)
  return assigned
}

interface Said {
  readonly each: HandedOverMember
  readonly subscription: Subscription
  readonly given: readonly TopicPartition[]
  readonly owned: readonly TopicPartition[]
  /** The generation in which it was given what it has. */
  readonly since: number
}

function understood(group: string, assignment: Buffer, metadata: Buffer): Omit<Said, 'each'> {
  try {
    const { partitions: given, userData } = decodeAssignment(assignment)
    if (userData !== null && userData.length > 0) {
      throw new GroupNotUpgradableError(
        group,
        'an assignor is in use that gives its members more than partitions',
      )
    }
    const subscription = decodeSubscription(metadata)
    const { ownedPartitions: owned, generationId: since } = subscription
    return { subscription, given, owned, since }
  } catch (error) {
    if (!(error instanceof CorruptGroupRecordError)) throw error
    throw new GroupNotUpgradableError(group, 'the embedded consumer protocol is malformed')
  }
}

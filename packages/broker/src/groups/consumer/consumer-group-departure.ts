import { type GroupTopics, metadataHashOf } from '../group-topics.ts'
import { noPartitions, ofEpochZero } from './assigned-partitions.ts'
import { type ConsumerGroupMember, staticLeaveEpoch } from './consumer-group-member.ts'
import type { ConsumerGroupRecord } from './consumer-group-record.ts'
import { type ConsumerGroupState, notedAssignment } from './consumer-group-state.ts'

/** What forgets a member, in Kafka's order. */
export function departureOf(group: string, memberId: string): ConsumerGroupRecord[] {
  return [
    { kind: 'current', group, memberId, value: null },
    { kind: 'target', group, memberId, value: null },
    { kind: 'member', group, memberId, value: null },
  ]
}

/** What puts members out: those that stay come into a new epoch, and divide what these had. */
export function fencing(
  state: ConsumerGroupState,
  group: string,
  members: readonly ConsumerGroupMember[],
  topics: GroupTopics,
): ConsumerGroupRecord[] {
  if (members.length === 0) return []
  const left = [...state.members.values()].filter((each) => !members.includes(each))
  const stays = new Set(left.map(({ topicRegex }) => topicRegex))
  const dropped = new Set(
    members.map(({ topicRegex }) => topicRegex).filter((each) => each !== '' && !stays.has(each)),
  )
  const names = new Set(left.flatMap(({ topicNames }) => topicNames))
  for (const [expression, { topics: found }] of state.expressions) {
    if (!dropped.has(expression)) for (const name of found) names.add(name)
  }
  const epoch = state.epoch + 1
  return [
    ...members.flatMap(({ memberId }) => departureOf(group, memberId)),
    ...[...dropped].map((expression): ConsumerGroupRecord => {
      return { kind: 'expression', group, expression, value: null }
    }),
    { kind: 'epoch', group, value: { epoch, metadataHash: metadataHashOf(names, topics) } },
  ]
}

/** A static member has left and may be back: it keeps its part until its session is over. */
export function staticLeave(group: string, member: ConsumerGroupMember): ConsumerGroupRecord[] {
  const left = {
    ...member,
    memberEpoch: staticLeaveEpoch,
    revoking: noPartitions,
    assigned: ofEpochZero(member.assigned),
  }
  return [{ kind: 'current', group, memberId: member.memberId, value: notedAssignment(left) }]
}

/** What forgets a whole group, in Kafka's order. */
export function tombstonesOf(state: ConsumerGroupState, group: string): ConsumerGroupRecord[] {
  const memberIds = [...new Set([...state.members.keys(), ...state.targets.keys()])]
  return [
    ...memberIds.map((memberId): ConsumerGroupRecord => {
      return { kind: 'current', group, memberId, value: null }
    }),
    ...memberIds.map((memberId): ConsumerGroupRecord => {
      return { kind: 'target', group, memberId, value: null }
    }),
    { kind: 'targetEpoch', group, value: null },
    ...memberIds.map((memberId): ConsumerGroupRecord => {
      return { kind: 'member', group, memberId, value: null }
    }),
    ...[...state.expressions.keys()].map((expression): ConsumerGroupRecord => {
      return { kind: 'expression', group, expression, value: null }
    }),
    { kind: 'topics', group, value: null },
    { kind: 'epoch', group, value: null },
  ]
}

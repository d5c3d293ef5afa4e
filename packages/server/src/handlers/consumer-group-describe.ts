import {
  type AssignedPartitions,
  assignorOf,
  type ConsumerGroupMember,
  type ConsumerGroupState,
  listPartitions,
  type TargetPartitions,
} from '@varve/broker/serving'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { describeEach, groupErrorCode, usedCoordinatorOf } from '../groups/group-calls.ts'
import type { ResponseOf } from '../protocol/api-declaration.ts'
import { consumerGroupDescribe } from '../protocol/apis/consumer-group-describe.ts'
import { errorCodes } from '../protocol/error-codes.ts'

type GroupAnswer = ResponseOf<typeof consumerGroupDescribe>['groups'][number]
type MemberAnswer = GroupAnswer['members'][number]
type Assignment = MemberAnswer['assignment']

/** The name of a topic; undefined for one that is gone. */
type NameOf = (topicId: string) => string | undefined

/** What a member speaks. */
const classicMember = 0
const consumerMember = 1

/** ConsumerGroupDescribe: state and members of groups of the consumer protocol (KIP-848). */
export function consumerGroupDescribeHandler(server: ServerContext): ApiHandler {
  return handlerOf(consumerGroupDescribe, { versions: '0-1' }, async (call, request) => {
    const { groupIds, includeAuthorizedOperations: asks } = request
    const groups = await describeEach(call, groupIds, asks, (group) => {
      return describe(server, call, group)
    })
    return { groups }
  })
}

async function describe(server: ServerContext, call: Call, group: string): Promise<GroupAnswer> {
  if (!call.may('describe', 'group', group)) {
    return refused(group, errorCodes.GROUP_AUTHORIZATION_FAILED, null)
  }
  if (group === '') return refused(group, errorCodes.INVALID_GROUP_ID, null)
  try {
    const coordinator = await usedCoordinatorOf(server)
    const state = coordinator?.consumers.find(group) ?? null
    if (state !== null) return answer(server, call, group, state)
    const message =
      coordinator?.has(group) === true
        ? `Group ${group} is not a consumer group.`
        : `Group ${group} not found.`
    return refused(group, errorCodes.GROUP_ID_NOT_FOUND, message)
  } catch (error) {
    return refused(group, groupErrorCode(server, group, error), null)
  }
}

function answer(
  server: ServerContext,
  call: Call,
  group: string,
  state: ConsumerGroupState,
): GroupAnswer {
  const nameOf = (topicId: string): string | undefined =>
    server.parts.topics.findById(topicId)?.name
  const members = [...state.members.values()].map((each) => memberOf(each, state, nameOf))
  const told = members.flatMap(({ assignment, targetAssignment }) => {
    return [...assignment.topicPartitions, ...targetAssignment.topicPartitions]
  })
  const seen = new Set(told.map(({ topicName }) => topicName))
  if (![...seen].every((name) => call.may('describe', 'topic', name))) {
    const message =
      'The group has described topic(s) that the client is not authorized to describe.'
    return refused(group, errorCodes.TOPIC_AUTHORIZATION_FAILED, message)
  }
  return {
    ...{ errorCode: errorCodes.NONE, groupId: group, groupState: state.phase },
    ...{ groupEpoch: state.epoch, assignmentEpoch: state.targetEpoch },
    assignorName: assignorOf(state.members.values()),
    members,
  }
}

function memberOf(
  member: ConsumerGroupMember,
  state: ConsumerGroupState,
  nameOf: NameOf,
): MemberAnswer {
  const { memberId, instanceId, rackId, memberEpoch, clientId, clientHost } = member
  const { assigned, revoking, topicNames, topicRegex } = member
  return {
    ...{ memberId, instanceId, rackId, memberEpoch, clientId, clientHost },
    subscribedTopicNames: topicNames,
    subscribedTopicRegex: topicRegex,
    assignment: assignmentOf(joined(assigned, revoking), nameOf),
    targetAssignment: assignmentOf(state.target(memberId), nameOf),
    memberType: member.classic === null ? consumerMember : classicMember,
  }
}

/** What a member has, with what it has not given up yet. */
function joined(one: AssignedPartitions, other: AssignedPartitions): AssignedPartitions {
  const all = new Map(one)
  for (const [topicId, partitions] of other) {
    all.set(topicId, new Map([...(all.get(topicId) ?? []), ...partitions]))
  }
  return all
}

/** Partitions of topics that are there: what is gone has no name to be told. */
function assignmentOf(
  partitions: AssignedPartitions | TargetPartitions,
  nameOf: NameOf,
): Assignment {
  const topicPartitions = listPartitions(partitions).flatMap((each) => {
    const topicName = nameOf(each.topicId)
    return topicName === undefined ? [] : [{ ...each, topicName }]
  })
  return { topicPartitions }
}

function refused(groupId: string, errorCode: number, errorMessage: string | null): GroupAnswer {
  return {
    ...{ errorCode, errorMessage, groupId, groupState: '' },
    ...{ groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] },
  }
}

import type { GroupView } from '@varve/broker/serving'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { describeEach, groupErrorCode, usedCoordinatorOf } from '../groups/group-calls.ts'
import type { ResponseOf } from '../protocol/api-declaration.ts'
import { describeGroups } from '../protocol/apis/describe-groups.ts'
import { errorCodes, errorMessages } from '../protocol/error-codes.ts'

type GroupAnswer = ResponseOf<typeof describeGroups>['groups'][number]

const nothing = Buffer.alloc(0)

/** DescribeGroups: state and members; what these say to their leader while the group is stable. */
export function describeGroupsHandler(server: ServerContext): ApiHandler {
  return handlerOf(describeGroups, { versions: '0-6' }, async (call, request) => {
    const { groups: names, includeAuthorizedOperations: asks } = request
    const groups = await describeEach(call, names, asks, (group) => {
      return describe(server, call, group)
    })
    return { groups }
  })
}

async function describe(server: ServerContext, call: Call, group: string): Promise<GroupAnswer> {
  if (!call.may('describe', 'group', group)) {
    return refused(group, errorCodes.GROUP_AUTHORIZATION_FAILED)
  }
  try {
    const coordinator = await usedCoordinatorOf(server)
    await coordinator?.storeOf(group).refresh()
    await coordinator?.whenChanged(group)
    const found = coordinator?.view(group) ?? null
    if (found !== null) return answer(group, found)
    const isConsumers = (coordinator?.consumers.find(group) ?? null) !== null
    return missing(call, group, isConsumers ? `Group ${group} is not a classic group.` : null)
  } catch (error) {
    return refused(group, groupErrorCode(server, group, error))
  }
}

function answer(group: string, found: GroupView): GroupAnswer {
  const { state, protocolType, protocol, members } = found
  const isStable = state === 'Stable'
  return {
    errorCode: errorCodes.NONE,
    groupId: group,
    groupState: state,
    protocolType,
    protocolData: isStable ? (protocol ?? '') : '',
    members: members.map(({ memberId, groupInstanceId, clientId, clientHost, ...said }) => ({
      ...{ memberId, groupInstanceId, clientId, clientHost },
      memberMetadata: isStable ? said.subscription : nothing,
      memberAssignment: said.assignment,
    })),
  }
}

/** Before version 6 a group that is not there is one that is dead. */
function missing({ version }: Call, group: string, reason: string | null): GroupAnswer {
  const told = { ...refused(group, errorCodes.NONE), groupState: 'Dead' }
  if (version < 6) return told
  const errorMessage = reason ?? errorMessages.GROUP_ID_NOT_FOUND
  return { ...told, errorCode: errorCodes.GROUP_ID_NOT_FOUND, errorMessage }
}

function refused(groupId: string, errorCode: number): GroupAnswer {
  return { errorCode, groupId, groupState: '', protocolType: '', protocolData: '', members: [] }
}

import { UnknownMemberError } from '@varve/broker'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { coordinatorOf, groupErrorCode, groupNameError } from '../groups/group-calls.ts'
import { leaveGroup } from '../protocol/apis/leave-group.ts'
import { errorCodes } from '../protocol/error-codes.ts'

interface Leaving {
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/** LeaveGroup: of one member, from version 3 on of several. */
export function leaveGroupHandler(server: ServerContext): ApiHandler {
  return handlerOf(leaveGroup, { versions: '0-5', overlaps: true }, async (call, request) => {
    const { groupId, memberId } = request
    if (!call.may('read', 'group', groupId)) {
      return { errorCode: errorCodes.GROUP_AUTHORIZATION_FAILED }
    }
    const refused = groupNameError(groupId)
    if (refused !== errorCodes.NONE) return { errorCode: refused }
    const isOne = call.version < 3
    const leaving = isOne ? [{ memberId, groupInstanceId: null }] : request.members
    const codes = await leave(server, groupId, leaving)
    if (typeof codes === 'number') return { errorCode: codes }
    if (isOne) return { errorCode: codes[0] ?? errorCodes.NONE }
    const members = leaving.map(({ memberId: id, groupInstanceId }, index) => {
      return { memberId: id, groupInstanceId, errorCode: codes[index] ?? errorCodes.NONE }
    })
    return { errorCode: errorCodes.NONE, members }
  })
}

/** Each member's error code; one of the whole request where nothing could be done. */
async function leave(
  server: ServerContext,
  group: string,
  leaving: readonly Leaving[],
): Promise<readonly number[] | number> {
  try {
    const loaded = coordinatorOf(server)
    const coordinator = loaded instanceof Promise ? await loaded : loaded
    const errors = await coordinator.leaveAll(group, leaving)
    return errors.map((error) => error?.kafkaErrorCode ?? errorCodes.NONE)
  } catch (error) {
    // There is no such group: so each is no member of it.
    if (error instanceof UnknownMemberError) return leaving.map(() => error.kafkaErrorCode)
    return groupErrorCode(server, group, error)
  }
}

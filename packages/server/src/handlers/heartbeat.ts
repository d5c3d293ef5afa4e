import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { coordinatorOf, groupErrorCode, groupNameError } from '../groups/group-calls.ts'
import { heartbeat } from '../protocol/apis/heartbeat.ts'
import { errorCodes } from '../protocol/error-codes.ts'

/** Heartbeat: keeps a member's session alive, and tells it of a rebalance. */
export function heartbeatHandler(server: ServerContext): ApiHandler {
  return handlerOf(heartbeat, { versions: '0-4', overlaps: true }, async (call, request) => {
    const { groupId, memberId, groupInstanceId, generationId: generation } = request
    if (!call.may('read', 'group', groupId)) {
      return { errorCode: errorCodes.GROUP_AUTHORIZATION_FAILED }
    }
    const errorCode = groupNameError(groupId)
    if (errorCode !== errorCodes.NONE) return { errorCode }
    try {
      const loaded = coordinatorOf(server)
      const coordinator = loaded instanceof Promise ? await loaded : loaded
      coordinator.heartbeat(groupId, { memberId, groupInstanceId, generation })
      return { errorCode: errorCodes.NONE }
    } catch (error) {
      return { errorCode: groupErrorCode(server, groupId, error) }
    }
  })
}

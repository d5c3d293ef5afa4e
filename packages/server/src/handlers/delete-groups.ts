import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { groupErrorCode, usedCoordinatorOf } from '../groups/group-calls.ts'
import { deleteGroups } from '../protocol/apis/delete-groups.ts'
import { errorCodes } from '../protocol/error-codes.ts'

/** DeleteGroups: forgets groups without members, each with its offsets. */
export function deleteGroupsHandler(server: ServerContext): ApiHandler {
  return handlerOf(deleteGroups, { versions: '0-2' }, async (call, request) => {
    const names = [...new Set(request.groupsNames)]
    const results = await call.turns.map(names, async (groupId) => {
      return { groupId, errorCode: await forget(server, call, groupId) }
    })
    return { results }
  })
}

async function forget(server: ServerContext, call: Call, group: string): Promise<number> {
  if (!call.may('delete', 'group', group)) return errorCodes.GROUP_AUTHORIZATION_FAILED
  try {
    const coordinator = await usedCoordinatorOf(server)
    if (coordinator === null) return errorCodes.GROUP_ID_NOT_FOUND
    await coordinator.delete(group)
    return errorCodes.NONE
  } catch (error) {
    return groupErrorCode(server, group, error)
  }
}

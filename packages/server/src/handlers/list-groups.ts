import { clusterResource } from '../base/access.ts'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { groupErrorCode, usedCoordinatorOf } from '../groups/group-calls.ts'
import { listGroups } from '../protocol/apis/list-groups.ts'
import { errorCodes } from '../protocol/error-codes.ts'

/** ListGroups: every group that the caller may see; by state and type where that is asked for. */
export function listGroupsHandler(server: ServerContext): ApiHandler {
  return handlerOf(listGroups, { versions: '0-5' }, async (call, request) => {
    const states = lowered(request.statesFilter)
    const types = lowered(request.typesFilter)
    try {
      const coordinator = await usedCoordinatorOf(server)
      const seesAll = call.may('describe', 'cluster', clusterResource)
      const groups = (coordinator?.overview() ?? [])
        .filter(({ state }) => states.size === 0 || states.has(state.toLowerCase()))
        .filter(({ type }) => types.size === 0 || types.has(type))
        .filter(({ group }) => seesAll || call.may('describe', 'group', group))
        .map(({ group, type, protocolType, state }) => {
          return { groupId: group, protocolType, groupState: state, groupType: type }
        })
      return { errorCode: errorCodes.NONE, groups }
    } catch (error) {
      return { errorCode: groupErrorCode(server, '', error), groups: [] }
    }
  })
}

function lowered(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => name.toLowerCase()))
}

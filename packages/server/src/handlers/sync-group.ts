import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { coordinatorOf, groupErrorCode, groupNameError } from '../groups/group-calls.ts'
import type { ParkedRequests } from '../groups/parked-requests.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { syncGroup } from '../protocol/apis/sync-group.ts'
import { errorCodes } from '../protocol/error-codes.ts'

type Request = RequestOf<typeof syncGroup>
type Response = ResponseOf<typeof syncGroup>

const nothing = Buffer.alloc(0)

/** SyncGroup: answered when the leader has divided, and what it said is noted. */
export function syncGroupHandler(server: ServerContext, parked: ParkedRequests): ApiHandler {
  return handlerOf(syncGroup, { versions: '0-5', overlaps: true }, async (call, request) => {
    const refused = refusal(call, request)
    if (refused !== errorCodes.NONE) return { errorCode: refused, assignment: nothing }
    try {
      return await sync(server, parked, request)
    } catch (error) {
      const errorCode = groupErrorCode(server, request.groupId, error)
      return { errorCode, assignment: nothing }
    }
  })
}

function refusal(call: Call, { groupId, protocolType, protocolName }: Request): number {
  if (!call.may('read', 'group', groupId)) return errorCodes.GROUP_AUTHORIZATION_FAILED
  if (call.version >= 5 && (protocolType === null || protocolName === null)) {
    return errorCodes.INCONSISTENT_GROUP_PROTOCOL
  }
  return groupNameError(groupId)
}

async function sync(
  server: ServerContext,
  parked: ParkedRequests,
  request: Request,
): Promise<Response> {
  const { groupId, memberId, groupInstanceId, generationId, protocolType, protocolName } = request
  const loaded = coordinatorOf(server)
  const coordinator = loaded instanceof Promise ? await loaded : loaded
  const syncing = coordinator.sync(groupId, {
    ...{ memberId, groupInstanceId, generation: generationId },
    ...{ protocolType, protocol: protocolName },
    assignments: new Map(
      // They outlive the frame.
      request.assignments.map((each) => [each.memberId, Buffer.from(each.assignment)]),
    ),
  })
  const assignment = await parked.park(syncing)
  return { errorCode: errorCodes.NONE, protocolType, protocolName, assignment }
}

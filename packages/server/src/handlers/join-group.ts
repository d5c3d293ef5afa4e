import { MemberIdRequiredError } from '@varve/broker/serving'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import {
  clientHostOf,
  coordinatorOf,
  groupErrorCode,
  groupNameError,
} from '../groups/group-calls.ts'
import type { ParkedRequests } from '../groups/parked-requests.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { joinGroup } from '../protocol/apis/join-group.ts'
import { errorCodes } from '../protocol/error-codes.ts'

type Request = RequestOf<typeof joinGroup>
type Response = ResponseOf<typeof joinGroup>

/** JoinGroup: answered when the rebalance that the join is part of goes on. */
export function joinGroupHandler(server: ServerContext, parked: ParkedRequests): ApiHandler {
  return handlerOf(joinGroup, { versions: '0-9', overlaps: true }, async (call, request) => {
    const refused = refusal(server, call, request)
    if (refused !== errorCodes.NONE) return refuse(call, refused, request.memberId)
    try {
      return await join(server, parked, call, request)
    } catch (error) {
      const memberId = error instanceof MemberIdRequiredError ? error.memberId : request.memberId
      return refuse(call, groupErrorCode(server, request.groupId, error), memberId)
    }
  })
}

function refusal(server: ServerContext, call: Call, request: Request): number {
  const { groupId, sessionTimeoutMs } = request
  if (!call.may('read', 'group', groupId)) return errorCodes.GROUP_AUTHORIZATION_FAILED
  const { groupSessionTimeoutMsMin, groupSessionTimeoutMsMax } = server.options
  if (groupNameError(groupId) !== errorCodes.NONE) return errorCodes.INVALID_GROUP_ID
  const isInRange =
    sessionTimeoutMs >= groupSessionTimeoutMsMin && sessionTimeoutMs <= groupSessionTimeoutMsMax
  return isInRange ? errorCodes.NONE : errorCodes.INVALID_SESSION_TIMEOUT
}

async function join(
  server: ServerContext,
  parked: ParkedRequests,
  call: Call,
  request: Request,
): Promise<Response> {
  const { version } = call
  const { groupId, memberId, groupInstanceId, protocolType, sessionTimeoutMs } = request
  const loaded = coordinatorOf(server)
  const coordinator = loaded instanceof Promise ? await loaded : loaded
  const joining = coordinator.join(groupId, {
    ...{ memberId, groupInstanceId, protocolType, sessionTimeoutMs },
    clientId: call.clientId ?? '',
    clientHost: clientHostOf(call.client),
    // They outlive the frame, which may be much larger.
    protocols: request.protocols.map(({ name, metadata }) => {
      return { name, metadata: Buffer.from(metadata) }
    }),
    rebalanceTimeoutMs: version === 0 ? sessionTimeoutMs : request.rebalanceTimeoutMs,
    local: null,
    needsKnownId: version >= 4,
    initialRebalanceDelayMs: server.options.groupInitialRebalanceDelayMs,
  })
  const joined = await parked.park(joining)
  // Clients that do not know of this take a leader who is not themselves for one who divides.
  const isSkipHidden = joined.skipAssignment && version < 9
  return {
    errorCode: errorCodes.NONE,
    generationId: joined.generation,
    protocolType,
    protocolName: joined.protocol,
    leader: isSkipHidden ? '' : joined.leader,
    skipAssignment: joined.skipAssignment,
    memberId: joined.memberId,
    members: isSkipHidden ? [] : joined.members,
  }
}

function refuse({ version }: Call, errorCode: number, memberId: string): Response {
  const protocolName = version >= 7 ? null : ''
  return { errorCode, memberId, protocolName, leader: '', members: [] }
}

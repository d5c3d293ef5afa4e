import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { findCoordinator } from '../protocol/apis/find-coordinator.ts'
import { errorCodes, errorMessages, errorNameOf } from '../protocol/error-codes.ts'

const keyTypes = { group: 0, transaction: 1 } as const

/** FindCoordinator: it is this broker, whatever is asked for. */
export function findCoordinatorHandler(server: ServerContext): ApiHandler {
  const { nodeId } = server.options
  const find = (call: Call, keyType: number, key: string) => {
    const errorCode = refusal(call, keyType, key)
    if (errorCode === errorCodes.NONE) {
      return { key, errorCode, errorMessage: null, nodeId, ...call.client.advertised }
    }
    const name = errorNameOf(errorCode)
    const errorMessage = name === undefined ? null : errorMessages[name]
    return { key, errorCode, errorMessage, nodeId: -1, host: '', port: -1 }
  }
  return handlerOf(findCoordinator, { versions: '0-6' }, async (call, request) => {
    const { keyType, key, coordinatorKeys } = request
    if (call.version >= 4) {
      const find4 = (each: string) => find(call, keyType, each)
      return { coordinators: await call.turns.map(coordinatorKeys, find4) }
    }
    return find(call, keyType, key)
  })
}

function refusal(call: Call, keyType: number, key: string): number {
  if (keyType === keyTypes.group) {
    if (call.may('describe', 'group', key)) return errorCodes.NONE
    return errorCodes.GROUP_AUTHORIZATION_FAILED
  }
  if (keyType === keyTypes.transaction) {
    if (call.may('describe', 'transactionalId', key)) return errorCodes.NONE
    return errorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  }
  // Share groups are not offered.
  return errorCodes.INVALID_REQUEST
}

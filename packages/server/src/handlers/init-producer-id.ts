import { clusterResource } from '../base/access.ts'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { initProducerId } from '../protocol/apis/init-producer-id.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import { coordinatorCode } from '../transactions/transaction-codes.ts'

type Request = RequestOf<typeof initProducerId>
type Answer = ResponseOf<typeof initProducerId>

const fencedSince = 4

/**
 * InitProducerId: an id that nobody has had; or with a transactional id that one's own, with an
 * epoch that fences whoever had it before, whose open transaction is aborted. Kafka has the client
 * ask again while that goes on (CONCURRENT_TRANSACTIONS); here it waits, unless a partition cannot
 * be told.
 */
export function initProducerIdHandler(server: ServerContext): ApiHandler {
  const { parts, logger } = server
  return handlerOf(initProducerId, { versions: '0-5' }, async (call, request) => {
    const errorCode = refusal(server, call, request)
    if (errorCode !== errorCodes.NONE) return refused(errorCode)
    const { transactionalId, transactionTimeoutMs, producerId, producerEpoch } = request
    try {
      const identity =
        transactionalId === null
          ? await parts.ids.take()
          : await parts.coordinator.open(transactionalId, transactionTimeoutMs, null, {
              expected: producerId === -1 ? null : { producerId, producerEpoch },
            })
      return { errorCode: errorCodes.NONE, ...identity }
    } catch (error) {
      return refused(coordinatorCode(error, call.version >= fencedSince, logger))
    }
  })
}

function refusal({ options }: ServerContext, call: Call, request: Request): number {
  const { transactionalId, transactionTimeoutMs, producerId, producerEpoch } = request
  if (transactionalId === null) {
    const isAllowed =
      call.may('idempotentWrite', 'cluster', clusterResource) || call.mayAny('write', 'topic')
    if (!isAllowed) return errorCodes.CLUSTER_AUTHORIZATION_FAILED
  } else if (!call.may('write', 'transactionalId', transactionalId)) {
    return errorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  }
  if ((producerId === -1) !== (producerEpoch === -1)) return errorCodes.INVALID_REQUEST
  if (transactionalId === null) return errorCodes.NONE
  if (transactionalId === '') return errorCodes.INVALID_REQUEST
  const isInTime =
    transactionTimeoutMs > 0 && transactionTimeoutMs <= options.transactionTimeoutMsMax
  return isInTime ? errorCodes.NONE : errorCodes.INVALID_TRANSACTION_TIMEOUT
}

function refused(errorCode: number): Answer {
  return { errorCode, producerId: -1, producerEpoch: -1 }
}

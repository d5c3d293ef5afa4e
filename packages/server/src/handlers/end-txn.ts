import { TransactionPendingError } from '@varve/broker/serving'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { endTxn } from '../protocol/apis/end-txn.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import { coordinatorCode } from '../transactions/transaction-codes.ts'

const fencedSince = 2

/**
 * EndTxn, up to version 4: from 5 on transactions would have epochs of their own, which is for
 * clusters that say so among their features. Answered when all partitions have been told; where one
 * cannot be, when it is decided, and the next transaction waits with CONCURRENT_TRANSACTIONS.
 */
export function endTxnHandler({ parts, logger }: ServerContext): ApiHandler {
  return handlerOf(endTxn, { versions: '0-4' }, async (call, request) => {
    const { transactionalId, producerId, producerEpoch, committed } = request
    if (!call.may('write', 'transactionalId', transactionalId)) {
      return { errorCode: errorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED }
    }
    if (transactionalId === '') return { errorCode: errorCodes.INVALID_REQUEST }
    const outcome = committed ? 'commit' : 'abort'
    try {
      const identity = { producerId, producerEpoch }
      await parts.coordinator.end(transactionalId, identity, outcome, { isFlushing: true })
      return { errorCode: errorCodes.NONE }
    } catch (error) {
      if (error instanceof TransactionPendingError) {
        const isDecidedSo = error.outcome === outcome
        return { errorCode: isDecidedSo ? errorCodes.NONE : errorCodes.INVALID_TXN_STATE }
      }
      return { errorCode: coordinatorCode(error, call.version >= fencedSince, logger) }
    }
  })
}

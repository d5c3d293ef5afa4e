import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { listTransactions } from '../protocol/apis/list-transactions.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import { kafkaStateOf, kafkaStates } from '../transactions/transaction-states.ts'

/**
 * ListTransactions: by state, producer id and age. Version 2 would have patterns for the ids, which
 * a client may make as costly as it likes where Kafka's take linear time: it is not offered.
 */
export function listTransactionsHandler({ parts, clock }: ServerContext): ApiHandler {
  return handlerOf(listTransactions, { versions: '0-1' }, (call, request) => {
    const { stateFilters, producerIdFilters, durationFilter } = request
    const states = new Set(stateFilters)
    const producerIds = new Set(producerIdFilters)
    const transactionStates: {
      readonly transactionalId: string
      readonly producerId: number
      readonly transactionState: string
    }[] = []
    const now = clock.now()
    for (const {
      transactionalId,
      producerId,
      status,
      startMs,
    } of parts.coordinator.descriptions()) {
      const transactionState = kafkaStateOf(status)
      if (states.size > 0 && !states.has(transactionState)) continue
      if (producerIds.size > 0 && !producerIds.has(producerId)) continue
      if (durationFilter >= 0 && now - startMs <= durationFilter) continue
      if (!call.may('describe', 'transactionalId', transactionalId)) continue
      transactionStates.push({ transactionalId, producerId, transactionState })
    }
    const unknownStateFilters = [...states].filter((state) => !kafkaStates.has(state))
    return { errorCode: errorCodes.NONE, unknownStateFilters, transactionStates }
  })
}

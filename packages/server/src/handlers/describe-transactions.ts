import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import type { ResponseOf } from '../protocol/api-declaration.ts'
import { describeTransactions } from '../protocol/apis/describe-transactions.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import { kafkaStateOf } from '../transactions/transaction-states.ts'

type State = ResponseOf<typeof describeTransactions>['transactionStates'][number]

/** DescribeTransactions: transactional ids, each with the partitions that the client may see. */
export function describeTransactionsHandler(server: ServerContext): ApiHandler {
  return handlerOf(describeTransactions, { versions: '0' }, async (call, request) => {
    const ids = [...new Set(request.transactionalIds)]
    return { transactionStates: await call.turns.map(ids, (id) => describe(server, call, id)) }
  })
}

function describe({ parts }: ServerContext, call: Call, transactionalId: string): State {
  if (!call.may('describe', 'transactionalId', transactionalId)) {
    return refused(transactionalId, errorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
  }
  if (transactionalId === '') return refused(transactionalId, errorCodes.INVALID_REQUEST)
  const found = parts.coordinator.describe(transactionalId)
  if (found === null) return refused(transactionalId, errorCodes.TRANSACTIONAL_ID_NOT_FOUND)
  const partitionsOf = new Map<string, number[]>()
  for (const { topic, partition } of found.partitions) {
    const partitions = partitionsOf.get(topic)
    if (partitions !== undefined) partitions.push(partition)
    else if (call.may('describe', 'topic', topic)) partitionsOf.set(topic, [partition])
  }
  return {
    errorCode: errorCodes.NONE,
    transactionalId,
    transactionState: kafkaStateOf(found.status),
    transactionTimeoutMs: found.timeoutMs,
    transactionStartTimeMs: found.startMs,
    producerId: found.producerId,
    producerEpoch: found.producerEpoch,
    topics: Array.from(partitionsOf, ([topic, partitions]) => ({ topic, partitions })),
  }
}

function refused(transactionalId: string, errorCode: number): State {
  return {
    ...{ errorCode, transactionalId, transactionState: '', topics: [] },
    ...{ transactionTimeoutMs: 0, transactionStartTimeMs: 0, producerId: 0, producerEpoch: 0 },
  }
}

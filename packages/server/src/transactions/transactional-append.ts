import { NotInTransactionError } from '@varve/broker/serving'
import { toldError } from '../base/kafka-error.ts'
import type { ServerContext } from '../base/server-context.ts'
import { RefusedBatchError } from '../producing/refused-batch-error.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import { notInTransactionCode } from './transaction-codes.ts'

/** A transactional batch on its way into a partition. */
export interface TransactionalBatch {
  readonly producerId: number
  readonly producerEpoch: number
}

/** Where it is to be appended, and what the request says of it. */
export interface TransactionalPlace {
  readonly topic: string
  readonly partition: number
  readonly transactionalId: string | null
  /** Of the Produce request. */
  readonly version: number
}

/** The first version of Produce whose clients know TRANSACTION_ABORTABLE. */
const abortableSince = 11

/**
 * Throws a RefusedBatchError for a batch whose partition is not in the ongoing transaction of its
 * producer, as far as the coordinator knows (KIP-890, part one): nobody would ever end it there.
 * For the turn in which the batch is appended: then the transaction does not end in between.
 */
export function checkTransactionalAppend(
  { parts }: Pick<ServerContext, 'parts'>,
  { producerId, producerEpoch }: TransactionalBatch,
  { topic, partition, transactionalId, version }: TransactionalPlace,
): void {
  if (transactionalId === null) {
    const { TRANSACTIONAL_ID_AUTHORIZATION_FAILED } = errorCodes
    const reason = 'a transactional batch needs a transactional id in its request'
    throw new RefusedBatchError(TRANSACTIONAL_ID_AUTHORIZATION_FAILED, reason)
  }
  try {
    const identity = { producerId, producerEpoch }
    parts.coordinator.checkAppend(transactionalId, identity, { topic, partition })
  } catch (error) {
    const { errorCode, errorMessage } = toldError(error)
    if (error instanceof NotInTransactionError && error.isEnding) {
      // The client tries again; by then its transaction has ended, and it learns so.
      throw new RefusedBatchError(errorCodes.NOT_ENOUGH_REPLICAS, errorMessage)
    }
    const code = notInTransactionCode(error, version >= abortableSince)
    throw new RefusedBatchError(code ?? errorCode, errorMessage)
  }
}

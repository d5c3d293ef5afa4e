import type { Logger } from '@varve/broker'
import { ProducerFencedError } from '@varve/broker'
import { NotInTransactionError } from '@varve/broker/serving'
import { kafkaErrorOf } from '../base/kafka-error.ts'
import { type ErrorName, errorCodes } from '../protocol/error-codes.ts'

/** What appending fails with, and what clients of a coordinator know in its place: as in Kafka. */
const coordinatorNames: ReadonlyMap<number, ErrorName> = new Map([
  [errorCodes.KAFKA_STORAGE_ERROR, 'COORDINATOR_NOT_AVAILABLE'],
  [errorCodes.NOT_ENOUGH_REPLICAS, 'COORDINATOR_NOT_AVAILABLE'],
  [errorCodes.NOT_LEADER_OR_FOLLOWER, 'NOT_COORDINATOR'],
  [errorCodes.UNKNOWN_TOPIC_OR_PARTITION, 'COORDINATOR_NOT_AVAILABLE'],
])

/**
 * The code for what a coordinator refused or could not do.
 *
 * @param knowsFencing whether the client knows PRODUCER_FENCED, which KIP-588 has put beside
 *   INVALID_PRODUCER_EPOCH: by the version of its request
 */
export function coordinatorCode(error: unknown, knowsFencing: boolean, logger: Logger): number {
  if (error instanceof ProducerFencedError && !knowsFencing) {
    return errorCodes.INVALID_PRODUCER_EPOCH
  }
  const told = kafkaErrorOf(error)
  if (told === null) {
    logger.error({ err: error }, 'a coordinator failed')
    return errorCodes.UNKNOWN_SERVER_ERROR
  }
  const name = coordinatorNames.get(told.errorCode)
  return name === undefined ? told.errorCode : errorCodes[name]
}

/**
 * The code for a transactional batch, or offsets, that may not be appended where they should go.
 *
 * @param knowsAborting whether the client knows TRANSACTION_ABORTABLE (KIP-890)
 */
export function notInTransactionCode(error: unknown, knowsAborting: boolean): number | null {
  if (error instanceof ProducerFencedError) return errorCodes.INVALID_PRODUCER_EPOCH
  if (!(error instanceof NotInTransactionError)) return null
  return knowsAborting ? errorCodes.TRANSACTION_ABORTABLE : errorCodes.INVALID_TXN_STATE
}

import { VarveError } from '@varve/record'
import { type ErrorName, errorCodes } from '../protocol/error-codes.ts'

/** An error as it is told to clients. */
export interface KafkaError {
  readonly errorCode: number
  readonly errorMessage: string
}

/** Varve's errors and what clients of Kafka know in their place. */
const namesOfCodes: Readonly<Record<string, ErrorName>> = {
  VARVE_APPEND_QUEUE_FULL: 'NOT_ENOUGH_REPLICAS',
  VARVE_BATCH_TOO_LARGE: 'MESSAGE_TOO_LARGE',
  VARVE_CLOSED: 'NOT_LEADER_OR_FOLLOWER',
  VARVE_CORRUPT_BATCH: 'CORRUPT_MESSAGE',
  VARVE_CORRUPT_LOG: 'KAFKA_STORAGE_ERROR',
  // Producers send fewer records at a time then.
  VARVE_DECOMPRESSION_LIMIT: 'MESSAGE_TOO_LARGE',
  VARVE_INVALID_ARGUMENT: 'INVALID_REQUEST',
  VARVE_INVALID_BATCH: 'INVALID_RECORD',
  VARVE_INVALID_TOPIC: 'INVALID_TOPIC_EXCEPTION',
  VARVE_LOG_CLOSED: 'NOT_LEADER_OR_FOLLOWER',
  VARVE_LOG_NOT_FOUND: 'UNKNOWN_TOPIC_OR_PARTITION',
  VARVE_LOG_OFFLINE: 'KAFKA_STORAGE_ERROR',
  VARVE_NATIVE_MODULE: 'UNSUPPORTED_COMPRESSION_TYPE',
  VARVE_OFFSET_OUT_OF_RANGE: 'OFFSET_OUT_OF_RANGE',
  VARVE_STORAGE: 'KAFKA_STORAGE_ERROR',
  VARVE_TOPIC_EXISTS: 'TOPIC_ALREADY_EXISTS',
  VARVE_TOPIC_NOT_FOUND: 'UNKNOWN_TOPIC_OR_PARTITION',
}

/** What a client is told of an error; null for one that nobody foresaw. */
export function kafkaErrorOf(error: unknown): KafkaError | null {
  if (!(error instanceof VarveError)) return null
  const name = namesOfCodes[error.code]
  const own = 'kafkaErrorCode' in error ? error.kafkaErrorCode : undefined
  if (typeof own === 'number') return { errorCode: own, errorMessage: error.message }
  return name === undefined ? null : { errorCode: errorCodes[name], errorMessage: error.message }
}

/** As `kafkaErrorOf`, and what nobody foresaw is Kafka's unknown error, without its message. */
export function toldError(error: unknown): KafkaError {
  const errorMessage = 'an unexpected error; the server has logged it'
  return kafkaErrorOf(error) ?? { errorCode: errorCodes.UNKNOWN_SERVER_ERROR, errorMessage }
}

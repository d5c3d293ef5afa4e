import { VarveError } from '@varve/record'
import { partitionName, type TopicPartition } from '../base/topic-partition.ts'

/** A key or value of `__transaction_state` is not in Kafka's schema. */
export class CorruptTransactionRecordError extends VarveError {
  readonly code = 'VARVE_CORRUPT_TRANSACTION_RECORD'
  readonly reason: string

  constructor(what: string, reason: string) {
    super(`corrupt ${what} of __transaction_state: ${reason}`)
    this.reason = reason
  }
}

/**
 * A transactional id is not known, or its producer has another producer id (Kafka:
 * INVALID_PRODUCER_ID_MAPPING).
 */
export class ProducerIdMappingError extends VarveError {
  readonly code = 'VARVE_PRODUCER_ID_MAPPING'
  readonly kafkaErrorCode = 49

  constructor(transactionalId: string) {
    super(`'${transactionalId}' has no producer of this id`, {
      hint: 'it was never opened, or was not used for so long that it was forgotten: open it anew',
    })
  }
}

/** A transactional batch goes to a partition that is not in its producer's transaction. */
export class NotInTransactionError extends VarveError {
  readonly code = 'VARVE_NOT_IN_TRANSACTION'
  readonly kafkaErrorCode = 48
  /** Whether a transaction of the producer is just being ended. */
  readonly isEnding: boolean

  constructor(transactionalId: string, place: TopicPartition, isEnding: boolean) {
    super(`${partitionName(place)} is not in a transaction of '${transactionalId}'`)
    this.isEnding = isEnding
  }
}

/** The transaction has ended, or is ending (Kafka: INVALID_TXN_STATE). */
export class TransactionEndedError extends VarveError {
  readonly code = 'VARVE_TRANSACTION_ENDED'
  readonly kafkaErrorCode = 48

  constructor(transactionalId: string) {
    super(`the transaction of '${transactionalId}' has ended`, {
      hint: 'await what is sent in a transaction before it is committed or aborted',
    })
  }
}

/** Something that was sent in the transaction did not arrive: it can only be aborted. */
export class TransactionFailedError extends VarveError {
  readonly code = 'VARVE_TRANSACTION_FAILED'

  constructor(transactionalId: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    super(`the transaction of '${transactionalId}' cannot be committed: ${why}`, {
      cause,
      hint: 'abort it, and do its work again in another',
    })
  }
}

/**
 * A transaction is decided, but not all of its partitions could be told. Only its own commit or
 * abort rejects with it.
 */
export class TransactionPendingError extends VarveError {
  readonly code = 'VARVE_TRANSACTION_PENDING'
  override readonly retriable = true
  readonly outcome: 'commit' | 'abort'

  constructor(transactionalId: string, outcome: 'commit' | 'abort', cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const decided = outcome === 'commit' ? 'committed' : 'aborted'
    super(`the transaction of '${transactionalId}' is ${decided}, but not everywhere yet: ${why}`, {
      cause,
      hint: 'that is finished when the partition can be appended to again, or at the next opening',
    })
    this.outcome = outcome
  }
}

/**
 * A producer cannot begin a transaction, because the one before has not ended in all of its
 * partitions (Kafka: CONCURRENT_TRANSACTIONS). Nothing was sent.
 */
export class TransactionBlockedError extends VarveError {
  readonly code = 'VARVE_TRANSACTION_BLOCKED'
  readonly kafkaErrorCode = 51
  override readonly retriable = true

  constructor(transactionalId: string, cause: TransactionPendingError) {
    super(`'${transactionalId}' cannot begin a transaction yet: ${cause.message}`, {
      cause,
      hint: 'try again when the partition can be appended to again',
    })
  }
}

import { VarveError } from '@varve/record'

/**
 * Why a batch of a producer that numbers its batches is refused. `kafkaErrorCode` is the error's
 * number in Kafka's protocol; the meanings are Kafka's.
 */
export abstract class ProducerStateError extends VarveError {
  abstract readonly kafkaErrorCode: number
  readonly producerId: number

  constructor(producerId: number, message: string) {
    super(`producer ${producerId}: ${message}`)
    this.producerId = producerId
  }
}

/**
 * The batch does not follow the producer's last one: something before it is missing, or is older.
 */
export class OutOfOrderSequenceError extends ProducerStateError {
  readonly code = 'VARVE_OUT_OF_ORDER_SEQUENCE'
  readonly kafkaErrorCode = 45
  readonly sequence: number
  /** Last sequence number that is known of the producer in its epoch, -1 when none is. */
  readonly lastSequence: number

  constructor(producerId: number, sequence: number, lastSequence: number) {
    super(
      producerId,
      lastSequence < 0
        ? `sequence ${sequence} where an epoch begins; it must be 0`
        : `sequence ${sequence} does not follow ${lastSequence}`,
    )
    this.sequence = sequence
    this.lastSequence = lastSequence
  }
}

/** A newer instance of the producer has appended already: this one is a zombie. */
export class InvalidProducerEpochError extends ProducerStateError {
  readonly code = 'VARVE_INVALID_PRODUCER_EPOCH'
  readonly kafkaErrorCode = 47
  readonly producerEpoch: number
  readonly latestProducerEpoch: number

  constructor(producerId: number, producerEpoch: number, latestProducerEpoch: number) {
    super(producerId, `epoch ${producerEpoch} is older than its latest, ${latestProducerEpoch}`)
    this.producerEpoch = producerEpoch
    this.latestProducerEpoch = latestProducerEpoch
  }
}

/** A batch outside a transaction, from a producer that has one open. */
export class InvalidTransactionStateError extends ProducerStateError {
  readonly code = 'VARVE_INVALID_TRANSACTION_STATE'
  readonly kafkaErrorCode = 48

  constructor(producerId: number, transactionFirstOffset: number) {
    super(
      producerId,
      `a batch outside a transaction while one is open since offset ${transactionFirstOffset}`,
    )
  }
}

/** A transaction marker from a coordinator that has been replaced. */
export class TransactionCoordinatorFencedError extends ProducerStateError {
  readonly code = 'VARVE_TRANSACTION_COORDINATOR_FENCED'
  readonly kafkaErrorCode = 52
  readonly coordinatorEpoch: number
  readonly latestCoordinatorEpoch: number

  constructor(producerId: number, coordinatorEpoch: number, latestCoordinatorEpoch: number) {
    super(
      producerId,
      `a marker of coordinator epoch ${coordinatorEpoch}, older than ${latestCoordinatorEpoch}`,
    )
    this.coordinatorEpoch = coordinatorEpoch
    this.latestCoordinatorEpoch = latestCoordinatorEpoch
  }
}

/** A client's batch with a producer id but without a sequence number. */
export class MissingSequenceError extends ProducerStateError {
  readonly code = 'VARVE_MISSING_SEQUENCE'
  /** INVALID_RECORD, as Kafka's LogValidator answers. */
  readonly kafkaErrorCode = 87

  constructor(producerId: number) {
    super(producerId, 'a batch with a producer id needs a sequence number')
  }
}

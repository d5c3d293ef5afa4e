import { type Offset, VarveError } from '@varve/record'

/**
 * A delivery is over: its visibility time-out has passed and the record was given to somebody else,
 * or it was acknowledged, released or rejected already (Kafka: INVALID_RECORD_STATE).
 */
export class DeliveryExpiredError extends VarveError {
  readonly code = 'VARVE_DELIVERY_EXPIRED'
  readonly kafkaErrorCode = 121
  readonly partition: number
  readonly offset: Offset

  constructor(queue: string, partition: number, offset: Offset) {
    super(`queue '${queue}': the delivery of ${partition}@${offset} is over`, {
      hint: 'handle faster, extend the delivery, or raise visibilityTimeoutMs',
    })
    this.partition = partition
    this.offset = offset
  }
}

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

/** What is noted of a queue's deliveries cannot be read: other queues are not concerned. */
export class CorruptQueueStateError extends VarveError {
  readonly code = 'VARVE_CORRUPT_QUEUE_STATE'
  readonly queue: string
  /** Of the queue's topic. */
  readonly partition: number
  /** Of the first record in the topic of states that is damaged. */
  readonly stateOffset: Offset

  constructor(queue: string, partition: number, stateOffset: Offset, cause: unknown) {
    const what = `queue '${queue}': what is noted of partition ${partition} cannot be read`
    super(`${what} (record ${stateOffset} of the queues' states)`, {
      cause,
      hint:
        "open it with whenStateCorrupt: 'redeliver' to go on without what cannot be read: records " +
        'that were finished there are delivered again, none is lost',
    })
    this.queue = queue
    this.partition = partition
    this.stateOffset = stateOffset
  }
}

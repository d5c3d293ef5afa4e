import { type Offset, VarveError } from '@varve/record'

/**
 * The next record of a consumer is no longer there: retention, or somebody's request, has deleted
 * it. Or there never was one at that offset.
 */
export class RecordsDeletedError extends VarveError {
  readonly code = 'VARVE_RECORDS_DELETED'
  /** OFFSET_OUT_OF_RANGE */
  readonly kafkaErrorCode = 1
  readonly topic: string
  readonly partition: number
  /** Where the consumer is. */
  readonly position: Offset
  /** The first offset that can be read. */
  readonly logStartOffset: Offset
  /** The offset after the last record. */
  readonly logEndOffset: Offset

  constructor(place: {
    readonly topic: string
    readonly partition: number
    readonly position: Offset
    readonly logStartOffset: Offset
    readonly logEndOffset: Offset
  }) {
    const { topic, partition, position, logStartOffset, logEndOffset } = place
    const held = `the log holds ${logStartOffset} to ${logEndOffset}`
    super(`${topic}-${partition}: the record at ${position} is not there; ${held}`, {
      hint: 'seek to where the consumer shall go on, or say so beforehand with whenDeleted',
    })
    this.topic = topic
    this.partition = partition
    this.position = position
    this.logStartOffset = logStartOffset
    this.logEndOffset = logEndOffset
  }
}

import { VarveError } from '@varve/record'

/** A key or value of `__consumer_offsets`, or a subscription, is not in Kafka's schema. */
export class CorruptGroupRecordError extends VarveError {
  readonly code = 'VARVE_CORRUPT_GROUP_RECORD'
  /** What was decoded: `offset commit value`. */
  readonly subject: string
  readonly reason: string

  constructor(subject: string, reason: string) {
    super(`corrupt ${subject}: ${reason}`)
    this.subject = subject
    this.reason = reason
  }
}

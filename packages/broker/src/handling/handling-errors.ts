import { type Offset, VarveError } from '@varve/record'

/** A record could not be handled, and there is no dead-letter topic to take it. */
export class HandlingFailedError extends VarveError {
  readonly code = 'VARVE_HANDLING_FAILED'
  readonly topic: string
  readonly partition: number
  readonly offset: Offset
  readonly attempts: number

  constructor(
    record: { readonly topic: string; readonly partition: number; readonly offset: Offset },
    attempts: number,
    cause: unknown,
  ) {
    const { topic, partition, offset } = record
    const why = cause instanceof Error ? cause.message : String(cause)
    super(`the record at ${topic}-${partition}@${offset} failed ${attempts} times: ${why}`, {
      cause,
      hint: 'nothing from it on is committed; mend the handler, or give a dead-letter topic',
    })
    this.topic = topic
    this.partition = partition
    this.offset = offset
    this.attempts = attempts
  }
}

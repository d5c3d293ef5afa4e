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

/** Closing waits for handlers, and one has not returned: perhaps because it waits for closing. */
export class HandlerRunningError extends VarveError {
  readonly code = 'VARVE_HANDLER_RUNNING'

  constructor() {
    super('closing waits for a handler that has not returned', {
      hint: 'a handler that waits for close() waits for itself: let it return, closing goes on',
    })
  }
}

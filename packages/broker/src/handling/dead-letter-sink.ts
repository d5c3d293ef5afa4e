import type { Clock } from '@varve/log'
import type { RecordInput } from '@varve/record'
import { deadLetterTopicOf, toDeadLetter } from './dead-letter.ts'
import type { RawRecord } from './handled-record.ts'

export interface DeadLetterSinkOptions {
  /** Appends a record to a topic, durably; makes the topic where it is not there. */
  readonly append: (topic: string, record: RecordInput) => Promise<unknown>
  readonly clock: Clock
  /** Where a topic's dead letters go. @defaultValue `<topic>.dead-letter` */
  readonly topicOf?: (topic: string) => string
}

/** Takes records that could not be handled: resolves when they are in their dead-letter topic. */
export type DeadLetterSink = (
  record: RawRecord,
  failure: { readonly attempts: number; readonly error: unknown },
) => Promise<void>

/** A sink that keeps records in topics. */
export function deadLetterSink(options: DeadLetterSinkOptions): DeadLetterSink {
  const { append, clock, topicOf = deadLetterTopicOf } = options
  return async (record, { attempts, error }) => {
    const letter = toDeadLetter(record, { attempts, error, timestamp: clock.now() })
    await append(topicOf(record.topic), letter)
  }
}

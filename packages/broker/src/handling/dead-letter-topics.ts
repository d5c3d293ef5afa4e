import type { Clock } from '@varve/log'
import type { RecordInput } from '@varve/record'
import { TopicExistsError } from '../base/broker-errors.ts'
import type { TopicSettings } from '../base/topic-settings.ts'
import { partitionForKey } from '../partitioning/partitioner.ts'
import type { Topic } from '../topics/topic.ts'
import type { Topics } from '../topics/topics.ts'
import { type DeadLetterSink, deadLetterSink } from './dead-letter-sink.ts'

/**
 * Dead letters are few, and wait to be looked at: kept until somebody deletes them. A letter is
 * larger than its record, which may have been as large as its own topic takes.
 */
export const deadLetterSettings: TopicSettings = { retentionMs: -1, maxMessageBytes: 2 ** 31 - 1 }

/** The dead-letter topics of a data directory: made when the first record goes there. */
export class DeadLetterTopics {
  readonly #topics: Topics
  readonly #clock: Clock

  constructor(topics: Topics, clock: Clock) {
    this.#topics = topics
    this.#clock = clock
  }

  /** @param topic where all of them go; null for `<topic>.dead-letter`, after each record's own */
  sink(topic: string | null): DeadLetterSink {
    return deadLetterSink({
      append: (to, record) => this.#append(to, record),
      clock: this.#clock,
      ...(topic !== null && { topicOf: () => topic }),
    })
  }

  /** Durable; in the partition of its key, so that letters of one key stay in order. */
  async #append(name: string, record: RecordInput): Promise<void> {
    const { partitions } = await this.#topic(name)
    const { key = null } = record
    const partition = key === null ? 0 : partitionForKey(key, partitions.length)
    await partitions[partition]?.log.append(record, { acks: 'flushed' })
  }

  async #topic(name: string): Promise<Topic> {
    const found = this.#topics.find(name)
    if (found !== null) return found
    return this.#topics.create(name, 1, deadLetterSettings).catch((error: unknown) => {
      // Somebody was faster.
      if (error instanceof TopicExistsError) return this.#topics.topic(name)
      throw error
    })
  }
}

import { listTopics, openDataDirectory, type ReplayReport, TopicNotFoundError } from '@varve/broker'
import { type Clock, openLogReadOnly } from '@varve/log'
import type { DeadLetterHome, ReadRecord, Replaying } from './dead-letter-home.ts'

/** Of a data directory: reading takes no lock, replaying needs the directory for itself. */
export class DirectoryLetters implements DeadLetterHome {
  readonly #data: string
  readonly #topic: string
  readonly #clock: Clock
  readonly #partitions: number

  /** Throws TopicNotFoundError. */
  constructor(data: string, topic: string, clock: Clock) {
    this.#data = data
    this.#topic = topic
    this.#clock = clock
    const found = listTopics(data).find(({ name }) => name === topic)
    if (found === undefined) throw new TopicNotFoundError(topic)
    this.#partitions = found.partitions
  }

  async *records(signal: AbortSignal): AsyncGenerator<ReadRecord, void, undefined> {
    for (let partition = 0; partition < this.#partitions; partition++) {
      await using log = await openLogReadOnly(`${this.#data}/${this.#topic}-${partition}`)
      const from = log.logStartOffset
      await using reader = log.reader({ from, isolation: 'committed', signal })
      for await (const { offset, key, headers } of reader.records()) {
        yield { partition, offset, key, headers }
      }
      if (signal.aborted) return
    }
  }

  async replay(options: Replaying): Promise<ReplayReport> {
    const clock = this.#clock
    await using varve = await openDataDirectory(this.#data, { cleaning: false, clock })
    return await varve.replayDeadLetters(this.#topic, options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing stays open between two calls.
  }
}

import type { ClusterVarve, ReplayReport } from '@varve/broker'
import type { ClusterPlace } from '../cluster/client-properties.ts'
import { openCluster, partsOf } from '../cluster/open-cluster.ts'
import type { DeadLetterHome, ReadRecord, Replaying } from './dead-letter-home.ts'

/** Of a server, Varve's or Kafka's. */
export class ClusterLetters implements DeadLetterHome {
  readonly #varve: ClusterVarve
  readonly #topic: string
  readonly #partitions: number

  private constructor(varve: ClusterVarve, topic: string, partitions: number) {
    this.#varve = varve
    this.#topic = topic
    this.#partitions = partitions
  }

  /** Rejects with TopicNotFoundError, and as `openCluster` does. */
  static async open(place: ClusterPlace, topic: string): Promise<ClusterLetters> {
    const varve = await openCluster(place)
    try {
      const { partitions } = await partsOf(varve).topics.topic(topic)
      return new ClusterLetters(varve, topic, partitions.length)
    } catch (error) {
      await varve.close()
      throw error
    }
  }

  async *records(signal: AbortSignal): AsyncGenerator<ReadRecord, void, undefined> {
    for (let partition = 0; partition < this.#partitions; partition++) {
      const assignment = [{ topic: this.#topic, partition }]
      const reading = { assignment, from: 'earliest', follow: false, signal } as const
      await using consumer = this.#varve.consumer(reading)
      for await (const { raw } of consumer) yield raw
      if (signal.aborted) return
    }
  }

  async replay(options: Replaying): Promise<ReplayReport> {
    return await this.#varve.replayDeadLetters(this.#topic, options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#varve.close()
  }
}

import { InvalidArgumentError } from '@varve/record'
import { TopicNotFoundError } from '../base/broker-errors.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { AssignmentSource, PartitionOwner } from './assignment-source.ts'

/** A topic of which consumers want to know when it grows. */
export interface WatchedTopic {
  readonly name: string
  readonly isDeleted: boolean
  readonly partitions: readonly TopicPartition[]
  /** Throws TopicNotFoundError. */
  partition(partition: number): unknown
}

/** The topics of a data directory, or of a cluster. */
export interface WatchedTopics {
  /** Throws, or rejects with, TopicNotFoundError. */
  topic(name: string): WatchedTopic | Promise<WatchedTopic>
  /** Calls back after changes; returns what ends that. */
  watch(watcher: (topic: WatchedTopic, event: 'created' | 'grown' | 'deleted') => void): () => void
}

/** All partitions of some topics, those that are added later too. */
export class TopicAssignment implements AssignmentSource {
  readonly #topics: WatchedTopics
  readonly #names: readonly string[]
  #end: (() => void) | null = null
  #turn: Promise<void> = Promise.resolve()

  constructor(topics: WatchedTopics, names: readonly string[]) {
    if (!Array.isArray(names) || names.length === 0) {
      throw new InvalidArgumentError('topics', names, 'must be an array with the name of a topic')
    }
    this.#topics = topics
    this.#names = [...new Set(names)]
  }

  async start(owner: PartitionOwner): Promise<void> {
    const found = await Promise.all(this.#names.map((name) => this.#topics.topic(name)))
    for (const { name, isDeleted } of found) if (isDeleted) throw new TopicNotFoundError(name)
    const given = new Map(found.map((topic) => [topic.name, topic.partitions.length]))
    this.#end = this.#topics.watch((topic, event) => {
      const from = given.get(topic.name)
      if (from === undefined) return
      if (event === 'deleted') owner.fail(new TopicNotFoundError(topic.name))
      if (event !== 'grown') return
      given.set(topic.name, topic.partitions.length)
      this.#turn = this.#turn
        .then(() => owner.assign(partitionsOf(topic, from), true))
        .catch((error: unknown) => owner.fail(error))
    })
    const first = owner.assign(found.flatMap((topic) => partitionsOf(topic, 0)))
    this.#turn = first.catch(() => undefined)
    await first
  }

  polled(): void {
    // Nobody waits for this consumer.
  }

  delivered(): void {
    // Nor looks whether it is stuck.
  }

  async close(): Promise<void> {
    this.#end?.()
    await this.#turn
  }
}

/** The partitions of a list. */
export class FixedAssignment implements AssignmentSource {
  readonly #topics: WatchedTopics
  readonly #partitions: readonly TopicPartition[]

  constructor(topics: WatchedTopics, partitions: readonly TopicPartition[]) {
    if (!Array.isArray(partitions) || partitions.length === 0) {
      throw new InvalidArgumentError('assignment', partitions, 'must be an array of partitions')
    }
    this.#topics = topics
    this.#partitions = partitions.map(({ topic, partition }) => ({ topic, partition }))
  }

  /** Rejects with TopicNotFoundError where a partition is not there. */
  async start(owner: PartitionOwner): Promise<void> {
    for (const { topic, partition } of this.#partitions) {
      const found = await this.#topics.topic(topic)
      found.partition(partition)
    }
    await owner.assign(this.#partitions)
  }

  polled(): void {
    // Nobody waits for this consumer.
  }

  delivered(): void {
    // Nor looks whether it is stuck.
  }

  async close(): Promise<void> {
    // There is nothing to give back to anybody.
  }
}

function partitionsOf({ name, partitions }: WatchedTopic, from: number): readonly TopicPartition[] {
  return partitions.slice(from).map(({ partition }) => ({ topic: name, partition }))
}

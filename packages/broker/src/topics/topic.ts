import { type Log, type LogDirectory, LogNotFoundError } from '@varve/log'
import { VarveError } from '@varve/record'
import { TopicNotFoundError } from '../base/broker-errors.ts'
import type { PartitionDescription, TopicDescription } from '../base/topic-description.ts'
import { isInternalTopic } from '../base/topic-names.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import { partitionName } from '../base/topic-partition.ts'
import type { ResolvedTopicSettings } from '../base/topic-settings.ts'

/** A partition of a data directory as it is now. */
export interface StoredPartitionDescription extends PartitionDescription {
  /** Bytes of its visible records. */
  readonly sizeBytes: number
  readonly segments: number
}

/** A topic of a data directory as it is now. */
export interface StoredTopicDescription extends TopicDescription {
  readonly partitions: readonly StoredPartitionDescription[]
}

/** One partition of a topic, whatever happens to its log: opened, failed, opened again, deleted. */
export class Partition implements TopicPartition {
  readonly topic: string
  readonly partition: number
  readonly name: string
  readonly #owner: Topic
  readonly #directory: LogDirectory

  constructor(owner: Topic, partition: number, directory: LogDirectory) {
    this.topic = owner.name
    this.partition = partition
    this.name = partitionName(this)
    this.#owner = owner
    this.#directory = directory
  }

  /**
   * Its log. Throws TopicNotFoundError when the topic has been deleted, or the error that keeps the
   * log from being open.
   */
  get log(): Log {
    const log = this.#directory.logs.get(this.name)
    if (log !== undefined) return log
    if (this.#owner.isDeleted) throw new TopicNotFoundError(this.topic)
    const failure = this.#directory.failures.get(this.name)
    throw failure ?? new LogNotFoundError(`log ${this.name} is missing, or was closed`)
  }

  get settings(): ResolvedTopicSettings {
    return this.#owner.settings
  }

  /** Its log, null while it is not open. */
  get openLog(): Log | null {
    return this.#directory.logs.get(this.name) ?? null
  }

  /** Whether its log is not open, though the topic is there: it may come back. */
  get isMissing(): boolean {
    return !this.#owner.isDeleted && !this.#directory.logs.has(this.name)
  }

  /** Whether it can be appended to. */
  get isUsable(): boolean {
    const log = this.#directory.logs.get(this.name)
    return log !== undefined && !log.isFailed
  }

  describe(): StoredPartitionDescription {
    try {
      const { logStartOffset, highWatermark, lastStableOffset } = this.log
      const segments = this.log.segments()
      const sizeBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
      return {
        partition: this.partition,
        ...{ logStartOffset, highWatermark, lastStableOffset },
        sizeBytes,
        segments: segments.length,
        error: null,
      }
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      const none = { logStartOffset: 0, highWatermark: 0, lastStableOffset: 0, sizeBytes: 0 }
      return { partition: this.partition, ...none, segments: 0, error }
    }
  }
}

/** A topic of an open data directory. */
export class Topic {
  readonly name: string
  readonly topicId: string
  readonly #directory: LogDirectory
  #settings: ResolvedTopicSettings
  #partitions: readonly Partition[] = []
  #isDeleted = false

  constructor(
    directory: LogDirectory,
    topic: {
      readonly name: string
      readonly topicId: string
      readonly settings: ResolvedTopicSettings
      readonly partitions: number
    },
  ) {
    this.#directory = directory
    this.name = topic.name
    this.topicId = topic.topicId
    this.#settings = topic.settings
    this.grow(topic.partitions)
  }

  get settings(): ResolvedTopicSettings {
    return this.#settings
  }

  get partitions(): readonly Partition[] {
    return this.#partitions
  }

  /** Whether it is one of Kafka's own, which programs do not write to. */
  get isInternal(): boolean {
    return isInternalTopic(this.name)
  }

  get isDeleted(): boolean {
    return this.#isDeleted
  }

  /** Throws TopicNotFoundError where there is no such partition, or no longer a topic. */
  partition(partition: number): Partition {
    const found = this.#partitions[partition]
    if (found !== undefined && !this.#isDeleted) return found
    throw this.#isDeleted
      ? new TopicNotFoundError(this.name)
      : new TopicNotFoundError(this.name, partition, this.#partitions.length)
  }

  grow(partitions: number): void {
    const added = Array.from(
      { length: partitions - this.#partitions.length },
      (_, index) => new Partition(this, this.#partitions.length + index, this.#directory),
    )
    this.#partitions = [...this.#partitions, ...added]
  }

  alter(settings: ResolvedTopicSettings): void {
    this.#settings = settings
  }

  deleted(): void {
    this.#isDeleted = true
  }

  describe(): StoredTopicDescription {
    const { name, topicId, isInternal, settings } = this
    const partitions = this.#partitions.map((partition) => partition.describe())
    return { name, topicId, isInternal, settings, partitions }
  }
}

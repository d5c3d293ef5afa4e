import {
  type Clock,
  type FileSystem,
  nodeFileSystem,
  openLogReadOnly,
  type ReadOnlyLog,
  type ReadOnlyLogOptions,
  systemClock,
} from '@varve/log'
import { decodePartitionMetadata, readSmallFile, refuseUnfinishedRestore } from '@varve/log/files'
import { randomFraction } from '@varve/log/pacing'
import { InvalidArgumentError, VarveError } from '@varve/record'
import { type Logger, silentLogger } from '../base/logger.ts'
import type { PartitionDescription, TopicDescription } from '../base/topic-description.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { TopicSettings } from '../base/topic-settings.ts'
import { Consumer } from '../consuming/consumer.ts'
import { type ConsumerOptions, checkConsumerOptions } from '../consuming/consumer-options.ts'
import { FixedAssignment, TopicAssignment } from '../consuming/topic-assignment.ts'
import { GroupListing } from '../groups/group-listing.ts'
import type { FollowedPartition } from './followed-partition.ts'
import { FollowedTopics } from './followed-topics.ts'
import { ReadOnlyError } from './read-only-error.ts'
import { ReadOnlyOffsets } from './read-only-offsets.ts'

export interface ReadVarveOptions {
  /**
   * How often a consumer that has come to the end of a partition looks for more, in ms. A look
   * takes about 15 µs of a processor, for each partition.
   * @defaultValue 10
   */
  readonly pollMs?: number
  /**
   * What the owner gives as `topicDefaults`; of them only `recordTtlMs` matters to who reads.
   * @defaultValue Kafka's defaults
   */
  readonly topicDefaults?: TopicSettings
  /** Told of what an operator should know; a `pino` logger fits. @defaultValue none */
  readonly logger?: Logger
  /** @defaultValue the real file system */
  readonly fs?: FileSystem
  /** @defaultValue the system's clock */
  readonly clock?: Clock
  /** 0 to 1: the jitter of retries. @defaultValue Math.random's kind of numbers */
  readonly random?: () => number
}

/** What a consumer can be told that reads a data directory which another process has open. */
export interface ReadingConsumerOptions<Key, Value>
  extends Omit<ConsumerOptions<Key, Value>, 'autoCommitMs'> {
  /**
   * Begin at what this group has committed, where it has, as of when a partition is first read. The
   * consumer is none of its members, and commits nothing.
   * @defaultValue none
   */
  readonly group?: string
}

const openFilesPerLog = 4
/** Kafka's zero UUID: no id is known. */
const noTopicId = 'A'.repeat(22)

/**
 * Opens a data directory for reading only: beside the process that has it open, or when none has.
 * Takes no lock and never writes anything, so a directory without write permission will do; a Kafka
 * broker's, too.
 *
 * Readers see what the owner has made visible, and follow it as it grows, through restarts of the
 * owner: topics that are made, given partitions and deleted, records, retention and compaction.
 *
 * @throws {LogNotFoundError} when there is no such directory
 * @throws {CorruptCatalogueError}
 * @throws {UnfinishedRestoreError} where a restore was interrupted as it took its place
 *
 * @example
 * ```ts
 * await using reader = await readVarve('./data')
 * for await (const record of reader.consumer({ topics: ['orders'], from: 'latest' })) {
 *   console.log(record.offset, String(record.value))
 * }
 * ```
 */
export async function readVarve(
  directory: string,
  options: ReadVarveOptions = {},
): Promise<VarveReader> {
  const { fs = nodeFileSystem, clock = systemClock, pollMs = 10 } = options
  if (!(pollMs >= 1 && pollMs <= 60_000)) {
    throw new InvalidArgumentError('pollMs', pollMs, 'must be 1 to 60000')
  }
  const { topicDefaults = {}, logger = silentLogger, random = randomFraction } = options
  const path = directory.length > 1 ? directory.replace(/\/+$/, '') : directory
  refuseUnfinishedRestore(fs, path)
  const log = { fs, clock, pollMs, openFilesMax: openFilesPerLog }
  const onTrouble = (error: unknown): void =>
    logger.warn({ err: error, directory: path }, 'topics could not be looked at')
  const topics = new FollowedTopics(path, { fs, clock, topicDefaults, log, onTrouble })
  return new VarveReader(topics, { fs, clock, random, log })
}

interface ReaderParts {
  readonly fs: FileSystem
  readonly clock: Clock
  readonly random: () => number
  readonly log: ReadOnlyLogOptions
}

/** A data directory that is only read. Made by `readVarve`. */
export class VarveReader implements AsyncDisposable {
  readonly #topics: FollowedTopics
  readonly #parts: ReaderParts
  readonly #consumers = new Set<AsyncDisposable>()
  #closing: Promise<void> | null = null

  /** @internal Data directories are opened for reading by `readVarve`. */
  constructor(topics: FollowedTopics, parts: ReaderParts) {
    this.#topics = topics
    this.#parts = parts
  }

  /** Names of the topics, without Kafka's internal ones unless asked for. */
  async listTopics(options: { readonly internal?: boolean } = {}): Promise<readonly string[]> {
    return this.#topics
      .all()
      .filter(({ isInternal }) => options.internal === true || !isInternal)
      .map(({ name }) => name)
  }

  /** A topic as it is now. Rejects with TopicNotFoundError. */
  async describeTopic(name: string): Promise<TopicDescription> {
    const topic = this.#topics.topic(name)
    const { isInternal, settings } = topic
    const partitions: PartitionDescription[] = []
    for (const partition of topic.partitions) partitions.push(await this.#describe(partition))
    const topicId = topic.topicId ?? this.#topicIdIn(topic.partitions[0]) ?? noTopicId
    return { name, topicId, isInternal, settings, partitions }
  }

  /**
   * The log of a partition, opened for reading: the engine's own face. Whoever asks closes it.
   * Rejects with TopicNotFoundError.
   */
  async log(topic: string, partition: number): Promise<ReadOnlyLog> {
    const { directory } = this.#topics.topic(topic).partition(partition)
    return openLogReadOnly(directory, this.#parts.log)
  }

  /**
   * A consumer of topics, or of partitions. Its lag is that of its last look at the log. With a
   * `group` it begins where that has committed; its `commit` rejects with ReadOnlyError, and `run`
   * commits nothing. Throws InvalidArgumentError, and ReadOnlyError for `autoCommitMs`.
   */
  consumer<Key = Buffer, Value = Buffer>(
    options: ReadingConsumerOptions<Key, Value>,
  ): Consumer<Key, Value> {
    checkConsumerOptions(options as ConsumerOptions<never, never>)
    if ((options as ConsumerOptions<Key, Value>).autoCommitMs !== undefined) {
      throw new ReadOnlyError(this.#topics.path, 'consumers commit nothing by themselves')
    }
    const { topics, assignment, group } = options
    if ((topics === undefined) === (assignment === undefined)) {
      throw new InvalidArgumentError('topics', topics, 'needs topics, or an assignment instead')
    }
    if (group !== undefined && (typeof group !== 'string' || group === '')) {
      throw new InvalidArgumentError('group', group, 'must be a string that is not empty')
    }
    const { fs, clock, random } = this.#parts
    const source =
      assignment === undefined
        ? new TopicAssignment(this.#topics, topics ?? [])
        : new FixedAssignment(this.#topics, assignment)
    const partition = (place: TopicPartition): Promise<FollowedPartition> =>
      this.#topics.topic(place.topic).partition(place.partition).open()
    const offsets = group === undefined ? null : new ReadOnlyOffsets(group, this.#topics.path, fs)
    const context = { clock, random, partition }
    const consumer: Consumer<Key, Value> = new Consumer(context, options, source, offsets, () => {
      this.#consumers.delete(consumer)
    })
    this.#consumers.add(consumer)
    return consumer
  }

  /**
   * The groups as they are: what they have committed, and who their members were when that was last
   * noted. Whoever asks closes it; `refresh` takes note of what has been committed since.
   */
  groups(): Promise<GroupListing> {
    return GroupListing.open(this.#topics.path, { fs: this.#parts.fs })
  }

  /** Closes the consumers and every file. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    const closed = [...this.#consumers].map((consumer) => consumer[Symbol.asyncDispose]())
    const results = await Promise.allSettled(closed)
    await this.#topics.close()
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  async #describe({ partition, directory }: FollowedPartition): Promise<PartitionDescription> {
    try {
      await using log = await openLogReadOnly(directory, this.#parts.log)
      await log.refresh('committed')
      const { logStartOffset, highWatermark, lastStableOffset } = log
      return { partition, logStartOffset, highWatermark, lastStableOffset, error: null }
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      return { partition, logStartOffset: 0, highWatermark: 0, lastStableOffset: 0, error }
    }
  }

  #topicIdIn(partition: FollowedPartition | undefined): string | null {
    if (partition === undefined) return null
    const path = `${partition.directory}/partition.metadata`
    try {
      const bytes = readSmallFile(this.#parts.fs, path, 1024)
      return bytes === null ? null : decodePartitionMetadata(bytes, path)
    } catch {
      // The records can be read without it, and verifying tells.
      return null
    }
  }
}

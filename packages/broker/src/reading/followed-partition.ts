import {
  type FileSystem,
  LogClosedError,
  openLogReadOnly,
  type ReadOnlyLog,
  type ReadOnlyLogOptions,
} from '@varve/log'
import type { Batch, Offset, Timestamp } from '@varve/record'
import { TopicNotFoundError } from '../base/broker-errors.ts'
import { partitionName } from '../base/topic-partition.ts'
import type {
  BatchReaderOptions,
  BatchSource,
  ReadableLog,
  ReadablePartition,
} from '../consuming/readable-partition.ts'

/** The topic of a partition, as it is now. */
export interface PartitionTopic {
  readonly name: string
  readonly settings: { readonly recordTtlMs: number }
  readonly isDeleted: boolean
}

export interface FollowedPartitionOptions {
  /** The data directory. */
  readonly path: string
  readonly fs: FileSystem
  readonly log: ReadOnlyLogOptions
  /** Sees what has happened to the topics. */
  readonly look: () => void
}

/** A partition of a data directory that somebody else has open. Its log is opened when asked. */
export class FollowedPartition implements ReadablePartition {
  readonly topic: string
  readonly partition: number
  /** Of its log. */
  readonly directory: string
  readonly #owner: PartitionTopic
  readonly #options: FollowedPartitionOptions
  #opening: Promise<ReadOnlyLog> | null = null
  #log: FollowedLog | null = null

  constructor(owner: PartitionTopic, partition: number, options: FollowedPartitionOptions) {
    this.topic = owner.name
    this.partition = partition
    this.directory = `${options.path}/${partitionName(this)}`
    this.#owner = owner
    this.#options = options
  }

  get settings(): { readonly recordTtlMs: number } {
    return this.#owner.settings
  }

  /** Throws TopicNotFoundError when the topic has been deleted, LogClosedError before `open`. */
  get log(): ReadableLog {
    if (this.#owner.isDeleted) throw new TopicNotFoundError(this.topic)
    if (this.#log === null) throw new LogClosedError(partitionName(this))
    return this.#log
  }

  get isMissing(): boolean {
    const { fs } = this.#options
    return !this.#owner.isDeleted && fs.stat(this.directory)?.isDirectory !== true
  }

  get isUsable(): boolean {
    return !this.#owner.isDeleted
  }

  /** Opens its log where that is not done yet. Rejects as `openLogReadOnly` does. */
  async open(): Promise<this> {
    this.#opening ??= openLogReadOnly(this.directory, this.#options.log)
    try {
      const log = await this.#opening
      await log.refresh()
      this.#log ??= new FollowedLog(log, (error) => this.#reasonOf(error))
      return this
    } catch (error) {
      if (this.#log === null) this.#opening = null
      throw this.#reasonOf(error)
    }
  }

  async close(): Promise<void> {
    const log = await this.#opening?.catch(() => null)
    await log?.close()
  }

  /** That its topic was deleted says more than that its files are gone. */
  #reasonOf(error: unknown): unknown {
    try {
      this.#options.look()
    } catch {
      // What came first counts.
    }
    return this.#owner.isDeleted ? new TopicNotFoundError(this.topic) : error
  }
}

/** The log of another process as consumers need it. */
class FollowedLog implements ReadableLog {
  readonly #log: ReadOnlyLog
  readonly #reasonOf: (error: unknown) => unknown

  constructor(log: ReadOnlyLog, reasonOf: (error: unknown) => unknown) {
    this.#log = log
    this.#reasonOf = reasonOf
  }

  get logStartOffset(): Offset {
    return this.#log.logStartOffset
  }

  get highWatermark(): Offset {
    return this.#log.highWatermark
  }

  get lastStableOffset(): Offset {
    return this.#log.lastStableOffset
  }

  async refresh(): Promise<void> {
    await this.#log.refresh('committed').catch((error: unknown) => {
      throw this.#reasonOf(error)
    })
  }

  offsetForTimestamp(timestamp: Timestamp): Promise<{ readonly offset: Offset } | null> {
    return this.#log.offsetForTimestamp(timestamp)
  }

  reader(options: BatchReaderOptions): BatchSource {
    const reader = this.#log.reader(options)
    return {
      nextBatches: async (): Promise<readonly Batch[] | null> => {
        try {
          return await reader.nextBatches()
        } catch (error) {
          throw this.#reasonOf(error)
        }
      },
      return: () => reader.return(),
    }
  }
}

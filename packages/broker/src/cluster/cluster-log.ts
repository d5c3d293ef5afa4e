import { type Isolation, OffsetOutOfRangeError } from '@varve/log'
import type { Batch, Offset, Timestamp } from '@varve/record'
import { TopicNotFoundError } from '../base/broker-errors.ts'
import { partitionName } from '../base/topic-partition.ts'
import type {
  BatchReaderOptions,
  BatchSource,
  ReadableLog,
  ReadablePartition,
} from '../consuming/readable-partition.ts'
import { type Cluster, isPassingFailure } from './cluster.ts'
import { ClusterRefusedError } from './cluster-errors.ts'
import type { ClusterFetcher } from './cluster-fetcher.ts'
import type { ClusterPartition, ClusterTopics } from './cluster-topics.ts'
import { batchesOf, committedBatches, type FetchedPartition } from './fetch-answer.ts'
import { kafkaCodes } from './kafka-codes.ts'
import { earliest, latest, listOffset } from './partition-offsets.ts'

export interface ClusterLogContext {
  readonly cluster: Cluster
  readonly topics: ClusterTopics
  readonly fetcher: ClusterFetcher
}

/** The records of a partition on a cluster, for one consumer. */
export class ClusterLog implements ReadableLog {
  readonly #context: ClusterLogContext
  readonly #partition: ClusterPartition
  logStartOffset: Offset = 0
  highWatermark: Offset = 0
  lastStableOffset: Offset = 0

  constructor(context: ClusterLogContext, partition: ClusterPartition) {
    this.#context = context
    this.#partition = partition
  }

  get name(): string {
    return partitionName(this.#partition)
  }

  async refresh(): Promise<void> {
    const [first, end, stable] = await this.asking('looking for offsets', () => {
      return Promise.all([
        this.#offset(earliest, 'uncommitted'),
        this.#offset(latest, 'uncommitted'),
        this.#offset(latest, 'committed'),
      ])
    })
    this.logStartOffset = first
    this.highWatermark = end
    this.lastStableOffset = stable
  }

  async offsetForTimestamp(timestamp: Timestamp): Promise<{ readonly offset: Offset } | null> {
    const offset = await this.asking('looking for a time', () => {
      return this.#offset(timestamp, 'uncommitted')
    })
    return offset < 0 ? null : { offset }
  }

  reader(options: BatchReaderOptions): BatchSource {
    return new ClusterReader(this, options)
  }

  /** A stretch of it. Rejects with OffsetOutOfRangeError, among others. */
  async fetch(offset: Offset, options: BatchReaderOptions): Promise<FetchedPartition> {
    const { fetcher } = this.#context
    const { follow: waits, maxBytes, signal } = options
    try {
      const fetched = await this.asking(
        'reading',
        () => fetcher.fetch({ partition: this.#partition, offset, maxBytes, waits, signal }),
        signal,
      )
      this.logStartOffset = fetched.logStartOffset
      this.highWatermark = fetched.highWatermark
      this.lastStableOffset = fetched.lastStableOffset
      return fetched
    } catch (error) {
      const isOutside =
        error instanceof ClusterRefusedError && error.kafkaErrorCode === kafkaCodes.offsetOutOfRange
      if (!isOutside) throw error
      await this.refresh()
      const { logStartOffset, highWatermark } = this
      throw new OffsetOutOfRangeError(this.name, offset, logStartOffset, highWatermark)
    }
  }

  /** Asks the leader, whoever that is by now. */
  asking<Answer>(what: string, ask: () => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
    const { cluster, topics } = this.#context
    let hasFailed = false
    const attempt = async (): Promise<Answer> => {
      if (hasFailed) await topics.refresh()
      if (this.#partition.isDeleted) throw new TopicNotFoundError(this.#partition.topic)
      hasFailed = true
      return ask()
    }
    return cluster.retrying(`${what} of ${this.name}`, attempt, {
      isPassing: isPassingFailure,
      ...(signal !== undefined && { signal }),
    })
  }

  async #offset(timestamp: Timestamp, isolation: Isolation): Promise<Offset> {
    const { cluster } = this.#context
    const { leader } = this.#partition
    return (await listOffset(cluster, leader, this.#partition, timestamp, isolation)).offset
  }
}

class ClusterReader implements BatchSource {
  readonly #log: ClusterLog
  readonly #options: BatchReaderOptions
  #position: Offset

  constructor(log: ClusterLog, options: BatchReaderOptions) {
    this.#log = log
    this.#options = options
    this.#position = options.from
  }

  async nextBatches(): Promise<readonly Batch[] | null> {
    const { isolation, follow, signal } = this.#options
    while (!signal.aborted) {
      const fetched = await this.#log.fetch(this.#position, this.#options)
      // The first batch may begin before the position; all of it may be.
      const whole = batchesOf(fetched.bytes).filter(({ nextOffset }) => nextOffset > this.#position)
      const last = whole.at(-1)
      if (last !== undefined) this.#position = last.nextOffset
      const batches = isolation === 'committed' ? committedBatches(whole, fetched.aborted) : whole
      if (batches.length > 0) return batches
      const { highWatermark, lastStableOffset } = fetched
      const end = isolation === 'committed' ? lastStableOffset : highWatermark
      if (!follow && this.#position >= end) return null
    }
    return null
  }

  async return(): Promise<void> {
    // Whoever reads gives the signal.
  }
}

/** A partition of a cluster as a consumer reads it. */
export function readablePartition(
  context: ClusterLogContext,
  partition: ClusterPartition,
): ReadablePartition {
  const log = new ClusterLog(context, partition)
  return {
    topic: partition.topic,
    partition: partition.partition,
    settings: partition.settings,
    log,
    // The log waits itself for brokers that are away.
    isMissing: false,
    isUsable: true,
  }
}

import { isExpired } from '@varve/cleaner'
import {
  type Clock,
  type Isolation,
  LogClosedError,
  LogOfflineError,
  OffsetOutOfRangeError,
  type Timer,
} from '@varve/log'
import type { Batch, LogRecord, Offset } from '@varve/record'
import { brokerChannels } from '../base/diagnostics.ts'
import { RecordsDeletedError } from './consumer-errors.ts'
import type { BatchSource, ReadableLog, ReadablePartition } from './readable-partition.ts'

export interface FeedOptions {
  readonly clock: Clock
  readonly isolation: Isolation
  readonly follow: boolean
  readonly whenDeleted: 'fail' | 'earliest' | 'latest'
  readonly onDeleted: (error: RecordsDeletedError) => void
  /** Bytes to read at once; twice as many may be in memory. */
  readonly fetchBytes: number
  /** Called when there may be something to take, or a failure to tell. */
  readonly wake: () => void
}

/** A record that was taken, and what a commit of it has to know. */
export interface FedRecord {
  readonly record: LogRecord
  readonly leaderEpoch: number
}

/** How long a log that is being opened again is waited for. */
const reopeningMs = 10_000
const reopeningRetryMs = 50

/**
 * The records of one partition on their way to a consumer: one stretch of batches that is being
 * handed out, and one that is read meanwhile.
 */
export class PartitionFeed {
  readonly partition: ReadablePartition
  readonly #options: FeedOptions
  /** Of the next record to be handed out. */
  #position: Offset
  #reader: BatchSource | null = null
  #abort: AbortController | null = null
  #reading: Promise<void> | null = null
  #batches: readonly Batch[] = []
  #batchIndex = 0
  #records: Iterator<LogRecord> | null = null
  #next: readonly Batch[] | null = null
  #retry: Timer | null = null
  #missingSinceMs: number | null = null
  #failure: unknown = null
  #isAtEnd = false
  #isClosed = false
  /** Passed over while others are read. */
  isPaused = false

  constructor(partition: ReadablePartition, position: Offset, options: FeedOptions) {
    this.partition = partition
    this.#position = position
    this.#options = options
  }

  get position(): Offset {
    return this.#position
  }

  /** Why nothing more can be read; null while it can. */
  get failure(): unknown {
    return this.#failure
  }

  /** Whether it has come to the end and does not wait there for more. */
  get isAtEnd(): boolean {
    return this.#isAtEnd
  }

  /** Where readers at its isolation come to the end, as of now. */
  get endOffset(): Offset {
    const { highWatermark, lastStableOffset } = this.partition.log
    return this.#options.isolation === 'committed' ? lastStableOffset : highWatermark
  }

  /** Goes to another offset; what was read is dropped. */
  seek(position: Offset): void {
    this.#stop()
    this.#position = position
    this.#failure = null
    this.#isAtEnd = false
    this.#missingSinceMs = null
  }

  close(): void {
    this.#isClosed = true
    this.#stop()
  }

  /** The next record, null when there is none yet; then reading goes on, and `wake` is called. */
  take(now: number): FedRecord | null {
    if (this.#failure !== null || this.#isClosed) return null
    for (;;) {
      const taken = this.#takeFromBatches(now)
      if (taken !== null) return taken
      const next = this.#next
      if (next === null) {
        this.#read()
        return null
      }
      this.#next = null
      this.#batches = next
      this.#batchIndex = 0
      this.#read()
    }
  }

  #takeFromBatches(now: number): FedRecord | null {
    const { recordTtlMs } = this.partition.settings
    for (; this.#batchIndex < this.#batches.length; this.#batchIndex++) {
      const batch = this.#batches[this.#batchIndex] as Batch
      if (!batch.isControl) {
        this.#records ??= batch.records()[Symbol.iterator]()
        for (let step = this.#records.next(); step.done !== true; step = this.#records.next()) {
          const record = step.value
          if (record.offset < this.#position) continue
          this.#position = record.offset + 1
          if (!isExpired(record, recordTtlMs, now))
            return { record, leaderEpoch: batch.leaderEpoch }
        }
        this.#records = null
      }
      this.#position = Math.max(this.#position, batch.nextOffset)
    }
    return null
  }

  /** Reads the next stretch, unless that is under way or done. */
  #read(): void {
    if (this.#reading !== null || this.#next !== null || this.#isClosed) return
    if (this.#isAtEnd || this.#failure !== null || this.#retry !== null) return
    const abort = this.#abort ?? new AbortController()
    this.#abort = abort
    const reading = this.#readOn(abort.signal).finally(() => {
      if (this.#reading === reading) this.#reading = null
      this.#options.wake()
    })
    this.#reading = reading
  }

  async #readOn(signal: AbortSignal): Promise<void> {
    try {
      this.#reader ??= this.#open(signal)
      const batches = await this.#reader.nextBatches()
      if (signal.aborted) return
      this.#missingSinceMs = null
      if (batches === null) this.#isAtEnd = true
      else this.#received(batches)
    } catch (error) {
      if (!signal.aborted) this.#failed(error)
    }
  }

  #received(batches: readonly Batch[]): void {
    this.#next = batches
    if (!brokerChannels.read.hasSubscribers) return
    let records = 0
    let sizeBytes = 0
    for (const batch of batches) {
      records += batch.count ?? 0
      sizeBytes += batch.sizeBytes
    }
    const { topic, partition } = this.partition
    brokerChannels.read.publish({ topic, partition, records, sizeBytes })
  }

  #open(signal: AbortSignal): BatchSource {
    const { isolation, follow, fetchBytes } = this.#options
    const { log } = this.partition
    const from = Math.max(this.#position, 0)
    return log.reader({ from, isolation, follow, maxBytes: fetchBytes, signal })
  }

  #failed(error: unknown): void {
    this.#dropReader()
    if (error instanceof OffsetOutOfRangeError) this.#deleted(error)
    else if (error instanceof LogClosedError || error instanceof LogOfflineError) {
      this.#missing(error)
    } else if (this.partition.isMissing) this.#missing(error)
    else this.#failure = error
  }

  #deleted({ logStartOffset, logEndOffset }: OffsetOutOfRangeError): void {
    const { topic, partition } = this.partition
    const position = this.#position
    const place = { topic, partition, position, logStartOffset, logEndOffset }
    const error = new RecordsDeletedError(place)
    const { whenDeleted, onDeleted } = this.#options
    if (whenDeleted === 'fail') {
      this.#failure = error
      return
    }
    this.#position = whenDeleted === 'earliest' ? logStartOffset : this.endOffset
    onDeleted(error)
  }

  /** Its log is closed: perhaps to be opened again. */
  #missing(error: unknown): void {
    const { clock } = this.#options
    this.#missingSinceMs ??= clock.monotonic()
    const isGone = !this.partition.isMissing && !this.partition.isUsable
    if (isGone || clock.monotonic() - this.#missingSinceMs >= reopeningMs) {
      this.#failure = this.#reasonOf(error)
      return
    }
    this.#retry = clock.setTimer(reopeningRetryMs, () => {
      this.#retry = null
      this.#read()
    })
  }

  /** That its topic was deleted says more than that its log is closed. */
  #reasonOf(error: unknown): unknown {
    try {
      void this.partition.log
      return error
    } catch (reason) {
      return reason
    }
  }

  #stop(): void {
    this.#retry?.cancel()
    this.#retry = null
    this.#dropReader()
    this.#batches = []
    this.#batchIndex = 0
    this.#records = null
    this.#next = null
  }

  #dropReader(): void {
    this.#abort?.abort()
    this.#abort = null
    this.#reading = null
    void this.#reader?.return()
    this.#reader = null
  }
}

/** The offset of a starting point, as of now. */
export async function offsetOf(
  log: ReadableLog,
  from: 'earliest' | 'latest' | Offset | { readonly timestamp: number },
  isolation: Isolation,
): Promise<Offset> {
  if (typeof from === 'number') return from
  await log.refresh?.()
  const end = isolation === 'committed' ? log.lastStableOffset : log.highWatermark
  if (from === 'earliest') return log.logStartOffset
  if (from === 'latest') return end
  return (await log.offsetForTimestamp(from.timestamp))?.offset ?? end
}

import { type Batch, InvalidArgumentError, type LogRecord, type Offset } from '@varve/record'
import { turnWhenDue } from '../base/turns.ts'
import type { AbortedTransaction } from '../format/transaction-index.ts'
import type { Isolation, ReadSource } from '../segments/read-source.ts'
import { inOurWords } from '../storage/storage-error.ts'
import { committedOnly } from './committed-only.ts'
import { LogCursor } from './log-cursor.ts'
import type { PointReader } from './point-reader.ts'
import type { SegmentBytesOptions } from './segment-bytes.ts'

/** What one read reads. */
export interface ReadOptions {
  /** The first record to be read. */
  readonly from: Offset
  /**
   * About how many bytes to read at once; a batch that is larger still comes whole.
   * @defaultValue 1 MiB
   */
  readonly maxBytes?: number
  /** @defaultValue 'uncommitted' */
  readonly isolation?: Isolation
  /** Check the CRC of every batch. @defaultValue true */
  readonly verifyChecksums?: boolean
}

/** From where a reader reads, what it may see, and whether it waits for more. */
export interface ReaderOptions extends ReadOptions {
  /** At the end of the log, wait for more instead of ending. @defaultValue false */
  readonly follow?: boolean
  /** Ends a reader that follows. */
  readonly signal?: AbortSignal
  /**
   * Read into the same memory again and again: batches, records and everything that was taken from
   * them without a copy are overwritten as soon as the reader is asked for more. For those who are
   * done with one piece before the next: it reads faster, and evenly so.
   * @defaultValue false
   */
  readonly reuseMemory?: boolean
}

const defaultReadBytes = 1024 * 1024

function createCursor(
  source: ReadSource,
  options: ReadOptions,
  memory: SegmentBytesOptions,
  select: (batches: readonly Batch[]) => readonly Batch[] = (batches) => batches,
): LogCursor {
  checkReadOptions(options)
  const { from, isolation = 'uncommitted', verifyChecksums = true } = options
  return new LogCursor(source, { from, isolation, verifyChecksums, select, ...memory })
}

function checkReadOptions({ from, isolation, maxBytes }: ReadOptions): void {
  if (!Number.isSafeInteger(from) || from < 0) {
    throw new InvalidArgumentError('from', from, 'an offset is a non-negative integer')
  }
  if (isolation !== undefined && !isIsolation(isolation)) {
    throw new InvalidArgumentError('isolation', isolation, 'must be uncommitted or committed')
  }
  if (maxBytes !== undefined && !(Number.isSafeInteger(maxBytes) && maxBytes > 0)) {
    throw new InvalidArgumentError('maxBytes', maxBytes, 'must be a positive integer')
  }
}

function isIsolation(isolation: unknown): isolation is Isolation {
  return isolation === 'uncommitted' || isolation === 'committed'
}

/** What one read found. */
export interface ReadResult {
  /** The first may begin before the offset that was asked for. Empty at the end. */
  readonly batches: readonly Batch[]
  /** Where to read on. */
  readonly nextOffset: Offset
  readonly logStartOffset: Offset
  readonly highWatermark: Offset
  readonly lastStableOffset: Offset
  /** With `isolation: 'committed'`: what the reader has to leave out. */
  readonly abortedTransactions: readonly AbortedTransaction[]
}

/** As {@link readOnce}, at once; undefined where it takes longer. */
export function readNow(
  source: ReadSource,
  points: PointReader,
  options: ReadOptions,
): ReadResult | undefined {
  checkReadOptions(options)
  const { from, maxBytes = defaultReadBytes } = options
  const { isolation = 'uncommitted', verifyChecksums = true } = options
  const batches = points.read({ from, maxBytes, isolation, verifyChecksums })
  const nextOffset = batches?.at(-1)?.nextOffset
  if (batches === null || nextOffset === undefined) return undefined
  const isCommitted = isolation === 'committed'
  const abortedTransactions = isCommitted ? source.abortedTransactions(from, nextOffset) : []
  const { logStartOffset, highWatermark, lastStableOffset } = source
  const offsets = { nextOffset, logStartOffset, highWatermark, lastStableOffset }
  return { batches, ...offsets, abortedTransactions }
}

/** Reads once: about `maxBytes` of batches, at least one, none at the end. */
export async function readOnce(source: ReadSource, options: ReadOptions): Promise<ReadResult> {
  let abortedTransactions: readonly AbortedTransaction[] = []
  const memory = { readsAhead: false, reusesMemory: false }
  const cursor = createCursor(source, options, memory, (batches) => {
    if (options.isolation === 'committed') {
      abortedTransactions = source.abortedTransactions(options.from, cursor.nextOffset)
    }
    return batches
  })
  const batches = await cursor.next(options.maxBytes ?? defaultReadBytes)
  const { logStartOffset, highWatermark, lastStableOffset } = source
  const { nextOffset } = cursor
  const offsets = { nextOffset, logStartOffset, highWatermark, lastStableOffset }
  return { batches, ...offsets, abortedTransactions }
}

/**
 * Reads a log batch by batch: `for await (const batch of log.reader({ from: 0 }))`. The first batch
 * may begin before `from`. Batches are views of memory of their own: they stay valid, unless
 * `reuseMemory` says otherwise. While they are looked at, the next ones are read.
 *
 * With `follow` it waits at the end for more; it ends when the signal is given or the loop is left,
 * and rejects with LogClosedError or LogOfflineError when nothing more will come. A position whose
 * records have been deleted rejects with OffsetOutOfRangeError: nothing is skipped in silence.
 */
export class LogReader implements AsyncIterableIterator<Batch> {
  readonly #source: ReadSource
  readonly #cursor: LogCursor
  readonly #isFollowing: boolean
  readonly #maxBytes: number
  readonly #signal: AbortSignal | null
  #batches: readonly Batch[] = []
  #index = 0
  #isDone = false

  constructor(source: ReadSource, options: ReaderOptions) {
    this.#source = source
    const isCommittedOnly = options.isolation === 'committed'
    const memory = { readsAhead: true, reusesMemory: options.reuseMemory ?? false }
    this.#cursor = createCursor(source, options, memory, (batches) =>
      isCommittedOnly ? committedOnly(source, batches) : batches,
    )
    this.#isFollowing = options.follow ?? false
    this.#maxBytes = options.maxBytes ?? defaultReadBytes
    this.#signal = options.signal ?? null
    if (this.#isFollowing) source.tail?.follow()
  }

  /** The offset of the next record that a further read would give. */
  get nextOffset(): Offset {
    return this.#batches[this.#index]?.baseOffset ?? this.#cursor.nextOffset
  }

  async next(): Promise<IteratorResult<Batch, undefined>> {
    const batch = this.#batches[this.#index]
    if (batch !== undefined) {
      const turn = turnWhenDue(this.#source.clock)
      if (turn !== null) await turn
      this.#index++
      return { done: false, value: batch }
    }
    const batches = await this.nextBatches()
    if (batches === null) return { done: true, value: undefined }
    this.#batches = batches
    this.#index = 0
    return this.next()
  }

  /** The next batches, at least one; null at the end. Cheaper than one at a time. */
  async nextBatches(): Promise<readonly Batch[] | null> {
    try {
      return await this.#readBatches()
    } catch (error) {
      throw inOurWords(`reading log ${this.#source.name}`, error)
    }
  }

  async #readBatches(): Promise<readonly Batch[] | null> {
    if (this.#index < this.#batches.length) {
      // What `next` has read ahead.
      const rest = this.#batches.slice(this.#index)
      this.#batches = []
      return rest
    }
    while (!this.#isDone && this.#signal?.aborted !== true) {
      const turn = turnWhenDue(this.#source.clock)
      if (turn !== null) await turn
      const batches = await this.#cursor.next(this.#maxBytes)
      if (batches.length > 0) return batches
      if (!this.#isFollowing) break
      await this.#wait()
    }
    this.#finish()
    return null
  }

  /** The records from `from` on, one by one. */
  async *records(): AsyncGenerator<LogRecord, void, undefined> {
    const from = this.nextOffset
    for (let batches = await this.nextBatches(); batches !== null; ) {
      for (const batch of batches) {
        for (const record of batch.records()) {
          if (record.offset < from) continue
          const turn = turnWhenDue(this.#source.clock)
          if (turn !== null) await turn
          yield record
        }
      }
      batches = await this.nextBatches()
    }
  }

  async return(): Promise<IteratorResult<Batch, undefined>> {
    this.#finish()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#finish()
  }

  async #wait(): Promise<void> {
    const { nextOffset, limitOffset } = this.#cursor
    // A reader of committed records may wait for a transaction to end: any progress is looked at.
    const seen = limitOffset < this.#source.highWatermark ? this.#source.highWatermark : nextOffset
    await this.#source.whenVisible(seen, this.#signal)
  }

  #finish(): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#batches = []
    if (this.#isFollowing) this.#source.tail?.unfollow()
  }
}

import { strict as assert } from 'node:assert'
import {
  type BatchEncoder,
  type CompressionType,
  type FilePosition,
  InvalidArgumentError,
  type RecordBatch,
  type RecordInput,
  readBatchAt,
  type Timestamp,
} from '@varve/record'
import type { Clock } from '../base/clock.ts'
import { AppendQueueFullError, BatchTooLargeError } from '../base/log-errors.ts'
import type { Acks, ResolvedLogOptions } from '../base/log-options.ts'
import type { AppendResult } from './append-result.ts'
import { encoders } from './encoder-pool.ts'
import { type Settle, Waiters } from './waiters.ts'

/** Who appends, and so what is checked: a transaction coordinator may write control batches. */
export type AppendOrigin = 'client' | 'coordinator'

/** A batch that waits to be placed. */
export interface QueuedBatch {
  /** Where it lies in the group's buffer; null for one that is too large to be copied there. */
  readonly span: { readonly start: number; readonly sizeBytes: number } | null
  readonly external: RecordBatch | null
  readonly origin: AppendOrigin
  readonly waiters: Waiters
}

/** Everything that was queued at one moment, taken by the writer to be written together. */
export interface AppendGroup {
  readonly batches: readonly QueuedBatch[]
  /** Holds every batch that is not external, one after the other. */
  readonly encoder: BatchEncoder
  readonly appends: number
}

const unplaced: AppendResult = { baseOffset: -1, lastOffset: -1, isDuplicate: false }
/** A ready-made batch up to this size is copied, so that its group goes out in one write. */
const copiedBytesMax = 16 * 1024
/** So many records in a row share one look at the clock, unless a turn ends between them. */
const recordsPerClockReading = 64

/**
 * Appends on their way to the writer. Records are encoded when they arrive, straight into the
 * buffer that will be written, so the caller may use its memory again at once; appends that arrive
 * together share batches. Two buffers take turns: one fills while the other is written. A queue
 * that nobody appends to has none.
 *
 * The queue holds about `queueBytesMax`; what comes then waits outside, in order, or is refused.
 */
export class AppendQueue {
  readonly #log: string
  #options: ResolvedLogOptions
  readonly #clock: Clock
  /** Null until something is queued. */
  #current: BatchEncoder | null = null
  #spare: BatchEncoder | null = null
  #batches: QueuedBatch[] = []
  #open: { readonly compressionType: CompressionType; readonly waiters: Waiters } | null = null
  /** Batches of the group that are not copied. */
  readonly #externals = new Set<RecordBatch>()
  #externalBytes = 0
  #appends = 0
  /**
   * The time that records of this turn are given; a look at the clock costs as much as a record.
   */
  #turnMs: Timestamp = 0
  /** For so many more; 0 outside of a turn. */
  #turnReadings = 0
  readonly #endTurn = (): void => {
    this.#turnReadings = 0
  }
  #whenFull: (() => void) | null = null
  /** Of the promise that was made last. One executor for all: a closure an append is too many. */
  #settle: Settle = () => undefined
  readonly #keepSettle = (settle: Settle): void => {
    this.#settle = settle
  }
  #outside: Array<{ readonly enter: () => void; readonly reject: (error: unknown) => void }> = []
  /** Appends are counted as they come, those that wait outside too; refused ones are not. */
  #asked = 0
  /** The newest that is in the queue, and the newest that the writer has taken. */
  #entered = 0
  #taken = 0

  constructor(log: string, options: ResolvedLogOptions, clock: Clock) {
    this.#log = log
    this.#options = options
    this.#clock = clock
  }

  get isEmpty(): boolean {
    return this.#appends === 0 && this.#outside.length === 0
  }

  /** How many appends have been asked for: a mark in their order. */
  get asked(): number {
    return this.#asked
  }

  /** Whether the writer has taken everything that was asked for up to a mark. */
  hasTaken(mark: number): boolean {
    return this.#taken >= mark
  }

  get #filling(): BatchEncoder {
    if (this.#current !== null) return this.#current
    this.#current = this.#spare ?? encoders.take()
    this.#spare = null
    return this.#current
  }

  /** Other settings for what is queued from now on. */
  alter(options: ResolvedLogOptions): void {
    this.#finishOpen()
    this.#options = options
  }

  /** Bytes that wait to be written. */
  get sizeBytes(): number {
    const filling = this.#current
    if (filling === null) return this.#externalBytes
    const open = filling.isOpen ? filling.openSizeBytes : 0
    return filling.sizeBytes + open + this.#externalBytes
  }

  /** Whether enough is queued for a batch of full size. */
  get isBatchFull(): boolean {
    return this.sizeBytes >= this.#options.batchBytes
  }

  /** Called, from now on, when something is queued and there is enough for a full batch. */
  set whenBatchFull(callback: (() => void) | null) {
    this.#whenFull = callback
  }

  /**
   * Queues a record, or several as one atomic unit: all of them in one batch. Throws when they
   * cannot be encoded, or no batch may hold them.
   */
  addRecords(
    records: RecordInput | readonly RecordInput[],
    acks: Acks,
    compressionType: CompressionType,
  ): Promise<AppendResult> {
    if (this.#isFull) return this.#addLater(() => this.#enter(records, acks, compressionType))
    const promise = this.#enter(records, acks, compressionType)
    this.#entered = ++this.#asked
    return promise
  }

  /** Queues a batch that somebody else built and the log has validated. */
  addBatch(batch: RecordBatch, acks: Acks, origin: AppendOrigin): Promise<AppendResult> {
    if (this.#isFull) return this.#addLater(() => this.#enterBatch(batch, acks, origin))
    const promise = this.#enterBatch(batch, acks, origin)
    this.#entered = ++this.#asked
    return promise
  }

  /** Everything queued, for the writer; null when there is nothing. */
  take(): AppendGroup | null {
    // Those that filled the queue may all have been rejected since.
    if (this.#appends === 0) this.#letIn()
    this.#taken = this.#entered
    if (this.#appends === 0) {
      this.#giveBack()
      return null
    }
    this.#finishOpen()
    const group = { batches: this.#batches, encoder: this.#filling, appends: this.#appends }
    this.#current = null
    this.#batches = []
    this.#appends = 0
    this.#externals.clear()
    this.#externalBytes = 0
    this.#letIn()
    return group
  }

  /** Takes a group's buffer back once it has been written. */
  recycle(encoder: BatchEncoder): void {
    encoder.clear()
    this.#spare = encoder
  }

  /** Nothing is queued: others may have the buffers. */
  #giveBack(): void {
    if (this.#current !== null && !this.#current.isOpen) {
      encoders.giveBack(this.#current)
      this.#current = null
    }
    if (this.#spare === null) return
    encoders.giveBack(this.#spare)
    this.#spare = null
  }

  /** Rejects everything that is queued or waits to be. */
  fail(error: unknown): void {
    const waiting = this.#batches.map(({ waiters }) => waiters)
    if (this.#open !== null) waiting.push(this.#open.waiters)
    const outside = this.#outside
    this.#batches = []
    this.#open = null
    this.#appends = 0
    this.#externals.clear()
    this.#externalBytes = 0
    this.#outside = []
    this.#taken = this.#asked
    // Something may still be written from it: nobody else is given it.
    this.#current = null
    for (const waiters of waiting) waiters.reject(error)
    for (const { reject } of outside) reject(error)
  }

  get #isFull(): boolean {
    return this.sizeBytes >= this.#options.queueBytesMax || this.#outside.length > 0
  }

  #enter(
    records: RecordInput | readonly RecordInput[],
    acks: Acks,
    compressionType: CompressionType,
  ): Promise<AppendResult> {
    const waiters = this.#encode(records, compressionType)
    return this.#wait(waiters, isList(records) ? records.length : 1, acks)
  }

  #enterBatch(batch: RecordBatch, acks: Acks, origin: AppendOrigin): Promise<AppendResult> {
    return this.#wait(this.#enqueueBatch(batch, origin, acks), batch.count, acks)
  }

  #wait(waiters: Waiters, count: number, acks: Acks): Promise<AppendResult> {
    const promise = new Promise<AppendResult>(this.#keepSettle)
    const settle = this.#settle
    waiters.add(count, acks, settle)
    this.#appends++
    if (this.#whenFull !== null && this.isBatchFull) this.#whenFull()
    if (acks === 'none') settle(unplaced)
    return promise
  }

  /** Lets an append wait outside until there is room, or refuses it. */
  #addLater(enter: () => Promise<AppendResult>): Promise<AppendResult> {
    if (this.#options.whenQueueFull === 'refuse') {
      return Promise.reject(new AppendQueueFullError(this.#log, this.#options.queueBytesMax))
    }
    const place = ++this.#asked
    return new Promise((resolve, reject) => {
      const late = (): void => {
        this.#entered = place
        try {
          resolve(enter())
        } catch (error) {
          reject(error)
        }
      }
      this.#outside.push({ enter: late, reject })
    })
  }

  #letIn(): void {
    let count = 0
    for (const { enter } of this.#outside) {
      if (this.sizeBytes >= this.#options.queueBytesMax) break
      enter()
      count++
    }
    this.#outside.splice(0, count)
  }

  /** Encodes records into the open batch, or into a new one; returns who waits for that batch. */
  #encode(
    records: RecordInput | readonly RecordInput[],
    compressionType: CompressionType,
  ): Waiters {
    const { batchBytes, maxMessageBytes, segmentBytes } = this.#options
    const sizeMax = Math.min(maxMessageBytes, segmentBytes)
    const now = this.#now()
    const shared = this.#open
    const isShared =
      shared !== null &&
      shared.compressionType === compressionType &&
      this.#filling.openSizeBytes < batchBytes
    if (isShared && this.#encodeInto(records, now, sizeMax) === null) return shared.waiters
    this.#finishOpen()
    const { messageTimestampType: timestampType } = this.#options
    this.#filling.begin({ compressionType, timestampType })
    const waiters = new Waiters()
    this.#open = { compressionType, waiters }
    const tooLargeBytes = this.#encodeInto(records, now, sizeMax)
    if (tooLargeBytes !== null) {
      this.#filling.abandon()
      this.#open = null
      const limitName = sizeMax === maxMessageBytes ? 'maxMessageBytes' : 'segmentBytes'
      throw new BatchTooLargeError(tooLargeBytes, limitName, sizeMax)
    }
    return waiters
  }

  /**
   * Encodes into the open batch, all records or none; returns null, or the size that the batch
   * would have had when that is too large.
   */
  #encodeInto(
    records: RecordInput | readonly RecordInput[],
    now: Timestamp,
    sizeMax: number,
  ): number | null {
    const encoder = this.#filling
    encoder.mark()
    try {
      if (isList(records)) {
        for (const record of records) {
          if (typeof record !== 'object' || record === null) refuseRecord(record)
          encoder.append(record, now)
          if (encoder.openSizeBytes > sizeMax) break
        }
      } else {
        if (typeof records !== 'object' || records === null) refuseRecord(records)
        encoder.append(records, now)
      }
    } catch (error) {
      encoder.rollback()
      if (encoder.openCount === 0) this.#abandonOpen()
      throw error
    }
    const sizeBytes = encoder.openSizeBytes
    if (sizeBytes <= sizeMax) return null
    encoder.rollback()
    return sizeBytes
  }

  #now(): Timestamp {
    if (this.#turnReadings === 0) {
      process.nextTick(this.#endTurn)
      this.#turnMs = this.#clock.now()
      this.#turnReadings = recordsPerClockReading
    }
    this.#turnReadings--
    return this.#turnMs
  }

  #abandonOpen(): void {
    this.#filling.abandon()
    this.#open = null
  }

  #enqueueBatch(batch: RecordBatch, origin: AppendOrigin, acks: Acks): Waiters {
    this.#finishOpen()
    const waiters = new Waiters()
    // Offsets are stamped in place, so memory that is queued already must not be queued again; and
    // without a wait the caller has its memory back before anything is written.
    const isCopied =
      batch.sizeBytes <= copiedBytesMax || acks === 'none' || this.#externals.has(batch)
    if (isCopied) {
      const span = this.#filling.addFinished(batch.bytes)
      this.#batches.push({ span, external: null, origin, waiters })
    } else {
      this.#externals.add(batch)
      this.#externalBytes += batch.sizeBytes
      this.#batches.push({ span: null, external: batch, origin, waiters })
    }
    return waiters
  }

  #finishOpen(): void {
    if (this.#open === null) return
    const { waiters } = this.#open
    this.#open = null
    const isStamped = this.#options.messageTimestampType === 'LogAppendTime'
    try {
      const span = this.#filling.finish(isStamped ? { maxTimestamp: this.#clock.now() } : undefined)
      this.#batches.push({ span, external: null, origin: 'client', waiters })
    } catch (error) {
      // The codec's native package cannot be loaded: only these appends need it.
      this.#filling.abandon()
      this.#appends -= waiters.size
      waiters.reject(error)
    }
  }
}

function isList(records: RecordInput | readonly RecordInput[]): records is readonly RecordInput[] {
  return Array.isArray(records)
}

function refuseRecord(record: unknown): never {
  throw new InvalidArgumentError('record', record, 'must be an object with a key, a value, headers')
}

/** The batch as it will be written, in the memory that it will be written from. */
export function batchOf(queued: QueuedBatch, bytes: Buffer, position: FilePosition): RecordBatch {
  if (queued.external !== null) return queued.external
  assert(queued.span !== null, 'a queued batch lies somewhere')
  const { start, sizeBytes } = queued.span
  const batch = readBatchAt(bytes, start, start + sizeBytes, position)
  assert(batch !== null && batch.magic === 2, 'a queued batch is whole, and of the current format')
  return batch as RecordBatch
}

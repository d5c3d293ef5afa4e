import { strict as assert } from 'node:assert'
import {
  type Batch,
  controlTypeOf,
  type EndTransactionMarker,
  type Offset,
  readEndTransactionMarker,
  type Timestamp,
} from '@varve/record'
import {
  InvalidProducerEpochError,
  InvalidTransactionStateError,
  MissingSequenceError,
  OutOfOrderSequenceError,
  TransactionCoordinatorFencedError,
} from '../base/producer-errors.ts'
import { ProducerEntry, type ProducerStateInfo } from '../format/producer-entry.ts'
import { encodeProducerSnapshot } from '../format/producer-snapshot.ts'
import { type OpenTransaction, OpenTransactions } from './open-transactions.ts'

/**
 * Who hands a batch in, and so what is checked of one that has a producer id.
 *
 * - `client`: everything.
 * - `coordinator`: a group's or transaction's coordinator, whose batches have no meaningful
 *   sequence numbers: epochs and transaction state only.
 * - `recovery`: nothing. The log already has the batch.
 */
export type AppendOrigin = 'client' | 'coordinator' | 'recovery'

/** `duplicate`: the log has this very batch, where it says; it must not be appended again. */
export type ProducerCheck =
  | { readonly kind: 'append' }
  | {
      readonly kind: 'duplicate'
      readonly baseOffset: Offset
      readonly lastOffset: Offset
      readonly timestamp: Timestamp
    }

/** A transaction that has got its marker. One that was aborted belongs in the transaction index. */
export interface CompletedTransaction {
  readonly producerId: number
  readonly firstOffset: Offset
  /** Offset of the marker. */
  readonly lastOffset: Offset
  readonly isAborted: boolean
  /** The last stable offset just after the marker, high watermark aside. */
  readonly lastStableOffset: Offset
}

/**
 * What a log knows of the producers that number their batches, and of their transactions (Kafka's
 * ProducerStateManager). It decides which batches are appended twice, out of order or by a zombie,
 * and how far readers of committed records may go.
 *
 * In memory. It depends on the log's batches alone: a producer snapshot, loaded, and the batches
 * from the snapshot's offset on, given to `update` in order, lead to the same state again, but for
 * the batches that are remembered: a snapshot holds only each producer's newest one.
 *
 * Appending calls `check` and, unless the batch is a duplicate, `update` before it checks the next
 * batch. Nothing is undone: when a batch that was given to `update` does not get into the log, the
 * state must be rebuilt.
 */
export class ProducerStateManager {
  readonly #producers = new Map<number, ProducerEntry>()
  readonly #transactions = new OpenTransactions()
  #endOffset: Offset = 0

  /**
   * Whether the batch may be appended. Throws OutOfOrderSequenceError, InvalidProducerEpochError,
   * InvalidTransactionStateError, MissingSequenceError, for a marker
   * TransactionCoordinatorFencedError, and for a marker that cannot be read CorruptBatchError.
   *
   * Whether a transactional batch belongs to a transaction that its coordinator knows of is not
   * checked here.
   */
  check(batch: Batch, origin: AppendOrigin = 'client'): ProducerCheck {
    if (origin === 'recovery' || batch.producerId < 0) return append
    const entry = this.#producers.get(batch.producerId)
    if (batch.isControl) {
      checkMarker(batch, entry)
      return append
    }
    if (origin === 'client') {
      const known = entry?.findDuplicate(batch) ?? null
      if (known !== null) {
        const { firstOffset, lastOffset, timestamp } = known
        return { kind: 'duplicate', baseOffset: firstOffset, lastOffset, timestamp }
      }
      if (batch.baseSequence < 0) throw new MissingSequenceError(batch.producerId)
    }
    if (entry === undefined) return append
    checkEpoch(batch, entry)
    if (origin === 'client') checkSequence(batch, entry)
    if (entry.currentTransactionFirstOffset !== null && !batch.isTransactional) {
      throw new InvalidTransactionStateError(entry.producerId, entry.currentTransactionFirstOffset)
    }
    return append
  }

  /**
   * Takes in a batch that has its place in the log; where its offsets are not stamped yet, they are
   * given beside it. Of a control batch the marker is decoded (CorruptBatchError when it cannot
   * be). Returns the transaction that the batch completed, or null.
   */
  update(
    batch: Batch,
    baseOffset: Offset = batch.baseOffset,
    lastOffset: Offset = batch.lastOffset,
  ): CompletedTransaction | null {
    assert(baseOffset >= 0 && lastOffset >= baseOffset, 'a batch ends at or after its start')
    if (lastOffset >= this.#endOffset) this.#endOffset = lastOffset + 1
    if (batch.producerId < 0) return null
    if (batch.isControl) return this.#endTransaction(batch, baseOffset)
    const entry = this.#entryOf(batch.producerId)
    entry.addBatch(batch.producerEpoch, {
      firstSequence: batch.baseSequence,
      lastSequence: batch.lastSequence,
      firstOffset: baseOffset,
      lastOffset,
      timestamp: batch.maxTimestamp,
    })
    if (batch.isTransactional && entry.currentTransactionFirstOffset === null) {
      entry.currentTransactionFirstOffset = baseOffset
      this.#transactions.begin({ producerId: batch.producerId, firstOffset: baseOffset })
    }
    return null
  }

  #endTransaction(batch: Batch, markerOffset: Offset): CompletedTransaction | null {
    const found = markerOf(batch)
    if (found === null) return null
    const entry = this.#entryOf(batch.producerId)
    const firstOffset = entry.currentTransactionFirstOffset
    entry.endTransaction(batch.producerEpoch, found.marker.coordinatorEpoch, found.timestamp)
    if (firstOffset === null) return null
    const { producerId } = batch
    const lastStableOffset = this.#transactions.decide({ producerId, firstOffset }, markerOffset)
    return {
      producerId,
      firstOffset,
      lastOffset: markerOffset,
      isAborted: found.marker.type === 'abort',
      lastStableOffset,
    }
  }

  #entryOf(producerId: number): ProducerEntry {
    const known = this.#producers.get(producerId)
    if (known !== undefined) return known
    const entry = new ProducerEntry(producerId)
    this.#producers.set(producerId, entry)
    return entry
  }

  /** The offset after the last batch that was taken in; of the snapshot when none was since. */
  get endOffset(): Offset {
    return this.#endOffset
  }

  /**
   * The first offset of the oldest transaction that has no marker, or none below the high watermark
   * of the last {@link lastStableOffset}; null when there is no such transaction.
   */
  firstUnstableOffset(): Offset | null {
    return this.#transactions.firstOffset
  }

  /**
   * Up to which offset readers of committed records may go. Never below `logStartOffset`, since
   * what was deleted is not waited for. The high watermark must not be less than at an earlier
   * call.
   */
  lastStableOffset(highWatermark: Offset, logStartOffset: Offset = 0): Offset {
    this.#transactions.advanceHighWatermark(highWatermark)
    const first = this.#transactions.firstOffset
    if (first === null || first >= highWatermark) return highWatermark
    return Math.max(first, logStartOffset)
  }

  /** Transactions without a marker, oldest first. */
  ongoingTransactions(): readonly OpenTransaction[] {
    return [...this.#transactions.ongoing]
  }

  /**
   * Forgets the producers without an open transaction whose newest record is at least
   * `expirationMs` old; returns how many.
   */
  expire(nowMs: Timestamp, expirationMs: number): number {
    const before = this.#producers.size
    for (const entry of this.#producers.values()) {
      const isIdle = nowMs - entry.lastTimestamp >= expirationMs
      if (isIdle && entry.currentTransactionFirstOffset === null) {
        this.#producers.delete(entry.producerId)
      }
    }
    return before - this.#producers.size
  }

  /** Replaces the whole state by that of a snapshot, which covers everything below `endOffset`. */
  load(entries: Iterable<ProducerStateInfo>, endOffset: Offset): void {
    this.clear(endOffset)
    for (const info of entries) {
      const entry = ProducerEntry.from(info)
      assert(!this.#producers.has(entry.producerId), 'a snapshot names a producer once')
      this.#producers.set(entry.producerId, entry)
      const firstOffset = entry.currentTransactionFirstOffset
      if (firstOffset !== null) {
        this.#transactions.begin({ producerId: entry.producerId, firstOffset })
      }
    }
  }

  /** Forgets everything; the log begins at `endOffset`. */
  clear(endOffset: Offset = 0): void {
    this.#producers.clear()
    this.#transactions.clear()
    this.#endOffset = endOffset
  }

  get producerCount(): number {
    return this.#producers.size
  }

  /** What is known of a producer, null when nothing is. A view that changes with the state. */
  producer(producerId: number): ProducerStateInfo | null {
    return this.#producers.get(producerId) ?? null
  }

  /** All producers, in the order in which they came. Views. */
  entries(): Iterable<ProducerStateInfo> {
    return this.#producers.values()
  }

  /** The content of a producer snapshot file for {@link endOffset}. */
  encodeSnapshot(): Buffer {
    return encodeProducerSnapshot(this.entries())
  }
}

const append: ProducerCheck = Object.freeze({ kind: 'append' })

/** Also of a producer that is not known the marker must be readable: `update` will read it. */
function checkMarker(batch: Batch, entry: ProducerEntry | undefined): void {
  if (entry !== undefined) checkEpoch(batch, entry)
  const coordinatorEpoch = markerOf(batch)?.marker.coordinatorEpoch
  if (entry === undefined || coordinatorEpoch === undefined) return
  if (coordinatorEpoch >= entry.coordinatorEpoch) return
  const { producerId } = batch
  throw new TransactionCoordinatorFencedError(producerId, coordinatorEpoch, entry.coordinatorEpoch)
}

function checkEpoch(batch: Batch, entry: ProducerEntry): void {
  if (batch.producerEpoch >= entry.epoch) return
  throw new InvalidProducerEpochError(batch.producerId, batch.producerEpoch, entry.epoch)
}

/** A new epoch begins with 0; within one, numbers follow each other and wrap after 2^31-1. */
function checkSequence(batch: Batch, entry: ProducerEntry): void {
  if (entry.epoch < 0) return
  const lastSequence = batch.producerEpoch === entry.epoch ? entry.lastSequence : -1
  const expected = lastSequence === sequenceMax ? 0 : lastSequence + 1
  if (batch.baseSequence === expected) return
  throw new OutOfOrderSequenceError(batch.producerId, batch.baseSequence, lastSequence)
}

const sequenceMax = 2 ** 31 - 1

/**
 * The end of a transaction that a control batch marks. Null when compaction has emptied the batch,
 * and for control records that are not about transactions.
 */
function markerOf(batch: Batch): { marker: EndTransactionMarker; timestamp: Timestamp } | null {
  for (const record of batch.records()) {
    const type = controlTypeOf(record)
    if (type !== 'abort' && type !== 'commit') return null
    return { marker: readEndTransactionMarker(record), timestamp: record.timestamp }
  }
  return null
}

import { strict as assert } from 'node:assert'
import type { Offset } from '@varve/record'
import { writeInt64 } from '../base/int64.ts'
import type { File } from '../storage/file-system.ts'
import { EntryBuffer, type EntryCheck } from './entry-buffer.ts'
import type { DecodedIndex } from './index-problem.ts'

// Kafka's TransactionIndex, a `.txnindex` file: entries of
//
//   int16  version            0
//   int64  producerId
//   int64  firstOffset        of the transaction; may lie in an earlier segment
//   int64  lastOffset         of the abort marker, in this segment; increases strictly
//   int64  lastStableOffset   when the marker was appended
const versionField = 0
const producerIdField = versionField + 2
const firstOffsetField = producerIdField + 8
const lastOffsetField = firstOffsetField + 8
const lastStableOffsetField = lastOffsetField + 8
export const transactionIndexEntryBytes: number = lastStableOffsetField + 8

const currentVersion = 0

/** The largest segment holds fewer markers (78 bytes each) than entries fit this. */
const indexBytesMax = 2 ** 31 - 1

/** Larger than the file of any segment: two million entries of 34 bytes. */
export const transactionIndexBytesMax: number = 64 * 2 ** 20

/** A transaction that was aborted, as far as a range of a log shows it. */
export interface AbortedTransaction {
  /** Of the entry's form; 0. */
  readonly version: number
  readonly producerId: number
  readonly firstOffset: Offset
  /** Offset of the abort marker. */
  readonly lastOffset: Offset
  /** The log's last stable offset just after the marker. */
  readonly lastStableOffset: Offset
}

export interface AbortedTransactions {
  readonly aborted: AbortedTransaction[]
  /** Whether no later segment can hold another one that matters. */
  readonly isComplete: boolean
}

/**
 * The aborted transactions whose markers lie in one segment. Empty for most: then it has no file.
 */
export class TransactionIndex {
  readonly baseOffset: Offset
  readonly #entries: EntryBuffer

  /** An empty index, unless it is given entries that were decoded before. */
  constructor(baseOffset: Offset, entries: EntryBuffer = new EntryBuffer(entryOptions)) {
    this.baseOffset = baseOffset
    this.#entries = entries
  }

  /** The valid entries that the file begins with; see {@link decodeTransactionIndex}. */
  static decode(bytes: Buffer, baseOffset: Offset): TransactionIndex {
    return decodeTransactionIndex(bytes, baseOffset).index
  }

  get count(): number {
    return this.#entries.count
  }

  get sizeBytes(): number {
    return this.#entries.sizeBytes
  }

  entryAt(entry: number): AbortedTransaction {
    assert(entry >= 0 && entry < this.count, 'an entry is asked for that the index has')
    const entries = this.#entries
    return {
      version: versionOf(entries, entry),
      producerId: entries.int64At(entry, producerIdField),
      firstOffset: entries.int64At(entry, firstOffsetField),
      lastOffset: entries.int64At(entry, lastOffsetField),
      lastStableOffset: entries.int64At(entry, lastStableOffsetField),
    }
  }

  /** Markers come in the order of the log: `lastOffset` exceeds the newest entry's. */
  append(transaction: Omit<AbortedTransaction, 'version'>): void {
    const { producerId, firstOffset, lastOffset, lastStableOffset } = transaction
    assert(lastOffset >= this.baseOffset, 'an abort marker lies in the segment of its index')
    const last = this.count - 1
    if (last >= 0) {
      const previous = this.#entries.int64At(last, lastOffsetField)
      assert(lastOffset > previous, 'abort markers are indexed in the order of the log')
    }
    const { bytes, position } = this.#entries.add()
    bytes.writeInt16BE(currentVersion, position + versionField)
    writeInt64(bytes, position + producerIdField, producerId)
    writeInt64(bytes, position + firstOffsetField, firstOffset)
    writeInt64(bytes, position + lastOffsetField, lastOffset)
    writeInt64(bytes, position + lastStableOffsetField, lastStableOffset)
  }

  /**
   * The aborted transactions that touch offsets of `fetchOffset` (inclusive) to `upperBound`
   * (exclusive). When an entry was made with everything below `upperBound` already stable, nothing
   * later can matter; otherwise the search must go on in the next segment.
   */
  collect(fetchOffset: Offset, upperBound: Offset): AbortedTransactions {
    const aborted: AbortedTransaction[] = []
    const entries = this.#entries
    const first = entries.floorInt64(lastOffsetField, fetchOffset - 1) + 1
    for (let entry = first; entry < this.count; entry += 1) {
      if (entries.int64At(entry, firstOffsetField) < upperBound) aborted.push(this.entryAt(entry))
      if (entries.int64At(entry, lastStableOffsetField) >= upperBound) {
        return { aborted, isComplete: true }
      }
    }
    return { aborted, isComplete: false }
  }

  /** The file's content: a view, good until the next change. */
  encode(): Buffer {
    return this.#entries.bytes()
  }

  get unsavedBytes(): number {
    return this.#entries.unsavedBytes
  }

  get isUnsaved(): boolean {
    return this.#entries.isUnsaved
  }

  /** Writes to the file what it lacks and cuts off what is no longer valid; flushes nothing. */
  save(file: File): void {
    this.#entries.save(file)
  }
}

/** Reads a `.txnindex` file: the valid entries it begins with, and why not more. */
export function decodeTransactionIndex(
  bytes: Buffer,
  baseOffset: Offset,
): DecodedIndex<TransactionIndex> {
  const check: EntryCheck = (entries, entry) => checkEntry(entries, entry, baseOffset)
  const { entries, problem } = EntryBuffer.decode(bytes, entryOptions, check)
  return { index: new TransactionIndex(baseOffset, entries), problem }
}

function checkEntry(
  entries: EntryBuffer,
  entry: number,
  baseOffset: Offset,
): ReturnType<EntryCheck> {
  // Kafka, too, reads entries of a negative version: only a newer form is unknown.
  const version = versionOf(entries, entry)
  if (version > currentVersion) return { kind: 'range', reason: `version ${version}` }
  for (const [field, name] of int64Fields) {
    const value = entries.int64At(entry, field)
    if (value < 0 || !Number.isSafeInteger(value)) {
      return { kind: 'range', reason: `${name} ${value}` }
    }
  }
  const lastOffset = entries.int64At(entry, lastOffsetField)
  if (lastOffset < baseOffset) {
    return { kind: 'range', reason: `last offset ${lastOffset} before the segment's ${baseOffset}` }
  }
  const firstOffset = entries.int64At(entry, firstOffsetField)
  if (firstOffset > lastOffset) {
    return { kind: 'range', reason: `first offset ${firstOffset} after the last, ${lastOffset}` }
  }
  if (entry === 0) return null
  const previous = entries.int64At(entry - 1, lastOffsetField)
  if (lastOffset > previous) return null
  return { kind: 'order', reason: `last offset ${lastOffset} after ${previous}` }
}

const int64Fields = [
  [producerIdField, 'producer id'],
  [firstOffsetField, 'first offset'],
  [lastOffsetField, 'last offset'],
  [lastStableOffsetField, 'last stable offset'],
] as const

const entryOptions = { entryBytes: transactionIndexEntryBytes, maxBytes: indexBytesMax }

/** The upper half of the int32 that begins with it, sign included. */
function versionOf(entries: EntryBuffer, entry: number): number {
  return entries.int32At(entry, versionField) >> 16
}

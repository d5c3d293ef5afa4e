import type { Batch, FilePosition, Offset, Timestamp } from '@varve/record'
import { readInt32, readInt64 } from '../base/int64.ts'
import { offsetIndexEntryBytes } from '../format/offset-index.ts'
import { timeIndexEntryBytes } from '../format/time-index.ts'
import type { File } from '../storage/file-system.ts'
import type { FindingCode } from './finding.ts'

// Comparing an index file with the log that it was derived from, while the log is read: entry after
// entry, without loading the index. Only the first thing that is wrong is told: what follows it is
// as likely its consequence.

/** What is wrong with an index file, and where in it. */
export interface IndexFault {
  readonly code: Extract<FindingCode, `index-${string}`>
  readonly position: FilePosition
  readonly sizeBytes: number
  readonly firstOffset: Offset | null
  readonly lastOffset: Offset | null
  readonly message: string
}

/** Entries read at once. */
const blockEntries = 4096

/** The fixed-size entries of an index file, one after the other. */
export class EntryReader {
  readonly #file: File
  readonly #entryBytes: number
  readonly #sizeBytes: number
  #block: Buffer = Buffer.alloc(0)
  #blockPosition: FilePosition = 0
  /** Of the current entry. */
  #position: FilePosition

  constructor(file: File, entryBytes: number) {
    this.#file = file
    this.#entryBytes = entryBytes
    this.#sizeBytes = file.sizeBytes()
    this.#position = -entryBytes
  }

  get position(): FilePosition {
    return this.#position
  }

  get entryBytes(): number {
    return this.#entryBytes
  }

  get isFirst(): boolean {
    return this.#position === 0
  }

  /** Bytes behind the current entry. */
  get restBytes(): number {
    return this.#sizeBytes - this.#position - this.#entryBytes
  }

  /** Goes to the next entry; false when there is no complete one. */
  next(): boolean {
    const position = this.#position + this.#entryBytes
    if (position + this.#entryBytes > this.#sizeBytes) return false
    this.#position = position
    if (position < this.#blockPosition + this.#block.length) return true
    const length = Math.min(blockEntries * this.#entryBytes, this.#sizeBytes - position)
    const block = Buffer.alloc(length)
    this.#block = block.subarray(0, this.#file.readSync(block, position))
    this.#blockPosition = position
    return this.#block.length >= this.#entryBytes
  }

  int32At(field: number): number {
    return readInt32(this.#block, this.#position - this.#blockPosition + field)
  }

  int64At(field: number): number {
    return readInt64(this.#block, this.#position - this.#blockPosition + field)
  }

  /** Whether only zeros are left from the current entry on. Reads on. */
  isZeroToEnd(): boolean {
    const block = Buffer.alloc(64 * 1024)
    for (let position = this.#position; position < this.#sizeBytes; position += block.length) {
      const bytes = block.subarray(0, this.#file.readSync(block, position))
      if (bytes.some((byte) => byte !== 0)) return false
    }
    return true
  }
}

/** What the checks of both indexes have in common: entries in order, then padding or the end. */
abstract class OrderedIndexCheck {
  protected readonly entries: EntryReader
  protected readonly baseOffset: Offset
  #fault: IndexFault | null = null
  #isAtEntry = false

  constructor(file: File, entryBytes: number, baseOffset: Offset) {
    this.entries = new EntryReader(file, entryBytes)
    this.baseOffset = baseOffset
  }

  get fault(): IndexFault | null {
    return this.#fault
  }

  /** Whether there is a current entry, to be compared. */
  protected get isAtEntry(): boolean {
    return this.#isAtEntry
  }

  /** Goes to the next entry and checks it against the one before. */
  protected advance(): void {
    this.#isAtEntry = false
    if (this.#fault !== null) return
    if (!this.entries.next()) {
      const { restBytes } = this.entries
      if (restBytes > 0) this.fail('index-corrupt', `${restBytes} bytes at its end are no entry`)
      return
    }
    const problem = this.checkOrder()
    if (problem === null && !this.isPadding()) {
      this.#isAtEntry = true
    } else if (this.entries.isZeroToEnd()) {
      this.fail('index-padded', 'the rest of the file is zeros')
    } else if (problem === null) {
      this.#isAtEntry = true
    } else {
      this.fail('index-corrupt', problem)
    }
  }

  protected fail(code: IndexFault['code'], message: string): void {
    this.#isAtEntry = false
    if (this.#fault !== null) return
    const { position, entryBytes } = this.entries
    const offset = position < 0 || code === 'index-padded' ? null : this.offsetOfEntry()
    const place = { position: Math.max(position, 0), sizeBytes: entryBytes }
    this.#fault = { code, ...place, firstOffset: offset, lastOffset: offset, message }
  }

  /** What is wrong with the current entry by itself or after the one before. */
  protected abstract checkOrder(): string | null
  /** Whether the current entry looks like padding. */
  protected abstract isPadding(): boolean
  protected abstract offsetOfEntry(): Offset
}

/**
 * An `.index`: at each entry's position stands the batch with that last offset. Kafka, where it
 * appends several batches at once (as a follower does), gives the entry the last offset of all of
 * them; that is taken for right unless `isStrict`.
 */
export class OffsetIndexCheck extends OrderedIndexCheck {
  readonly #isStrict: boolean
  #lastRelative = -1
  #lastPosition: FilePosition = -1
  /** The offset with which the batches of one append must end. */
  #owedOffset: Offset | null = null

  constructor(file: File, baseOffset: Offset, isStrict: boolean) {
    super(file, offsetIndexEntryBytes, baseOffset)
    this.#isStrict = isStrict
    this.advance()
  }

  batch(position: FilePosition, lastOffset: Offset): void {
    if (this.#owedOffset !== null && lastOffset >= this.#owedOffset) {
      if (lastOffset > this.#owedOffset) {
        this.fail('index-mismatch', `no batch ends with offset ${this.#owedOffset}`)
      }
      this.#owedOffset = null
    }
    if (!this.isAtEntry || this.#position > position) return
    const offset = this.offsetOfEntry()
    if (this.#position < position) {
      this.fail('index-mismatch', `no batch starts at position ${this.#position}`)
    } else if (offset === lastOffset) {
      this.advance()
    } else if (this.#isStrict || offset < lastOffset || this.#owedOffset !== null) {
      const what = `the batch at position ${position} ends with offset ${lastOffset}`
      this.fail('index-mismatch', `${what}, not ${offset}`)
    } else {
      this.#owedOffset = offset
      this.advance()
    }
  }

  finish(): void {
    if (this.#owedOffset !== null) {
      this.fail('index-mismatch', `no batch ends with offset ${this.#owedOffset}`)
    }
    if (!this.isAtEntry) return
    this.fail('index-mismatch', `position ${this.#position} is beyond the end of the log`)
  }

  get #position(): FilePosition {
    return this.entries.int32At(4)
  }

  protected offsetOfEntry(): Offset {
    return this.baseOffset + this.entries.int32At(0)
  }

  protected isPadding(): boolean {
    return this.entries.int32At(0) === 0 && this.#position === 0 && this.entries.restBytes > 0
  }

  protected checkOrder(): string | null {
    const relative = this.entries.int32At(0)
    const position = this.#position
    if (relative <= this.#lastRelative) return `relative offset ${relative} does not rise`
    if (position <= this.#lastPosition) return `position ${position} does not rise`
    this.#lastRelative = relative
    this.#lastPosition = position
    return null
  }
}

/**
 * A `.timeindex`: each entry's timestamp is the largest up to its offset, and the offset is the
 * last one of the first batch that has it. Versions of Kafka differ in that offset (the record's,
 * or the last of several batches appended at once), so it need only be right as far as look-ups go
 * unless `isStrict`.
 */
export class TimeIndexCheck extends OrderedIndexCheck {
  readonly #isStrict: boolean
  #lastTimestamp: Timestamp = -1
  #lastRelative = 0
  #maxTimestamp: Timestamp = -1

  constructor(file: File, baseOffset: Offset, isStrict: boolean) {
    super(file, timeIndexEntryBytes, baseOffset)
    this.#isStrict = isStrict
    this.advance()
  }

  batch(batch: Batch): void {
    const { maxTimestamp, lastOffset } = batch
    const isHigher = maxTimestamp > this.#maxTimestamp
    if (isHigher) this.#maxTimestamp = maxTimestamp
    if (!this.isAtEntry) return
    if (this.#isStrict) {
      if (isHigher) this.#compareHighest(maxTimestamp, lastOffset)
      return
    }
    while (this.isAtEntry && this.offsetOfEntry() <= lastOffset) {
      if (this.#timestamp === this.#maxTimestamp) this.advance()
      else this.#failTimestamp()
    }
  }

  #compareHighest(maxTimestamp: Timestamp, lastOffset: Offset): void {
    if (this.#timestamp > maxTimestamp) return
    if (this.#timestamp < maxTimestamp) {
      this.#failTimestamp()
    } else if (this.offsetOfEntry() === lastOffset) {
      this.advance()
    } else {
      const what = `timestamp ${maxTimestamp} first occurs in the batch that ends with offset`
      this.fail('index-mismatch', `${what} ${lastOffset}, not ${this.offsetOfEntry()}`)
    }
  }

  #failTimestamp(): void {
    const what = `timestamp ${this.#timestamp} is not the largest up to offset`
    this.fail('index-mismatch', `${what} ${this.offsetOfEntry()}`)
  }

  finish(): void {
    if (!this.isAtEntry) return
    const what = `timestamp ${this.#timestamp} at offset ${this.offsetOfEntry()}`
    this.fail('index-mismatch', `${what} is not in the log`)
  }

  /** Whether the last entry says what the largest timestamp is, as in every sealed segment. */
  get isComplete(): boolean {
    return this.#maxTimestamp < 0 || this.#lastTimestamp === this.#maxTimestamp
  }

  get #timestamp(): Timestamp {
    return this.entries.int64At(0)
  }

  protected offsetOfEntry(): Offset {
    return this.baseOffset + this.entries.int32At(8)
  }

  protected isPadding(): boolean {
    return this.#timestamp === 0 && this.entries.int32At(8) === 0 && this.entries.restBytes > 0
  }

  protected checkOrder(): string | null {
    const timestamp = this.#timestamp
    const relative = this.entries.int32At(8)
    if (!(timestamp > this.#lastTimestamp && Number.isSafeInteger(timestamp))) {
      return `timestamp ${timestamp} does not rise`
    }
    if (relative < this.#lastRelative) return `relative offset ${relative} does not rise`
    this.#lastTimestamp = timestamp
    this.#lastRelative = relative
    return null
  }
}

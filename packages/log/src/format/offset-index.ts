import { strict as assert } from 'node:assert'
import type { FilePosition, Offset } from '@varve/record'
import { writeInt32 } from '../base/int64.ts'
import type { File } from '../storage/file-system.ts'
import { EntryBuffer, type EntryCheck } from './entry-buffer.ts'
import type { IndexNeighbours } from './index-pages.ts'
import type { DecodedIndex } from './index-problem.ts'

// Kafka's OffsetIndex, an `.index` file: entries of
//
//   int32  relativeOffset   last offset of a batch, less the segment's base offset
//   int32  position         where that batch *starts* in the `.log`
//
// Both columns increase strictly. No header, no checksum.
const relativeOffsetField = 0
const positionField = relativeOffsetField + 4
export const offsetIndexEntryBytes: number = positionField + 4

/** Kafka's default of `segment.index.bytes`. */
export const defaultIndexBytesMax: number = 10 * 1024 * 1024

/** Relative offsets and positions are non-negative int32. */
const int32Max = 2 ** 31 - 1

export interface IndexOptions {
  /** Largest size of the file, rounded down to whole entries. @defaultValue 10 MiB, as Kafka's */
  readonly maxBytes?: number
}

export interface OffsetPosition {
  readonly offset: Offset
  readonly position: FilePosition
}

/**
 * Where in a segment's `.log` to begin looking for an offset: a sparse map from offsets to
 * positions, in memory. Derived from the log: it is saved when that suits, and after a crash it is
 * rebuilt, not believed.
 */
export class OffsetIndex {
  readonly baseOffset: Offset
  readonly #entries: EntryBuffer

  /** An empty index, unless it is given entries that were decoded before. */
  constructor(
    baseOffset: Offset,
    options: IndexOptions = {},
    entries: EntryBuffer = new EntryBuffer(entryOptions(options)),
  ) {
    this.baseOffset = baseOffset
    this.#entries = entries
  }

  /**
   * The valid entries that the file begins with; see {@link decodeOffsetIndex} for what follows.
   */
  static decode(bytes: Buffer, baseOffset: Offset, options: IndexOptions = {}): OffsetIndex {
    return decodeOffsetIndex(bytes, baseOffset, options).index
  }

  get count(): number {
    return this.#entries.count
  }

  /** Whether the next append would not fit: the segment must be rolled before it. */
  get isFull(): boolean {
    return this.count >= this.#entries.maxCount
  }

  get sizeBytes(): number {
    return this.#entries.sizeBytes
  }

  entryAt(entry: number): OffsetPosition {
    assert(entry >= 0 && entry < this.count, 'an entry is asked for that the index has')
    const offset = this.baseOffset + this.#entries.int32At(entry, relativeOffsetField)
    return { offset, position: this.#entries.int32At(entry, positionField) }
  }

  /** The newest entry, null while there is none. */
  get lastEntry(): OffsetPosition | null {
    return this.count === 0 ? null : this.entryAt(this.count - 1)
  }

  /** The last entry at or before an offset; the segment's very start when there is none. */
  lookup(targetOffset: Offset): OffsetPosition {
    const entry = this.#floor(targetOffset)
    return entry < 0 ? { offset: this.baseOffset, position: 0 } : this.entryAt(entry)
  }

  /** The entries around an offset. Where the segment ends is not known here: it grows. */
  around(offset: Offset): IndexNeighbours {
    const floor = this.#floor(offset)
    return {
      floorPosition: this.#positionOf(floor, 0),
      floorOffset: this.#offsetOf(floor),
      ceilingPosition: this.#positionOf(floor + 1, -1),
      ceilingOffset: this.#offsetOf(floor + 1),
      endPosition: this.#positionOf(floor + 2, -1),
    }
  }

  #positionOf(entry: number, absent: number): number {
    const isThere = entry >= 0 && entry < this.count
    return isThere ? this.#entries.int32At(entry, positionField) : absent
  }

  #offsetOf(entry: number): number {
    const isThere = entry >= 0 && entry < this.count
    return isThere ? this.baseOffset + this.#entries.int32At(entry, relativeOffsetField) : -1
  }

  /** `offset`: the batch's last; `position`: its start. Both must exceed the newest entry's. */
  append(offset: Offset, position: FilePosition): void {
    const relativeOffset = offset - this.baseOffset
    assert(isInt31(relativeOffset), 'an indexed offset is within 2^31 of its base offset')
    assert(isInt31(position), 'an indexed position is below 2^31')
    const last = this.count - 1
    if (last >= 0) {
      const lastRelativeOffset = this.#entries.int32At(last, relativeOffsetField)
      assert(relativeOffset > lastRelativeOffset, 'offsets increase in an offset index')
      const lastPosition = this.#entries.int32At(last, positionField)
      assert(position > lastPosition, 'positions increase in an offset index')
    }
    const added = this.#entries.add()
    writeInt32(added.bytes, added.position + relativeOffsetField, relativeOffset)
    writeInt32(added.bytes, added.position + positionField, position)
  }

  /** The file's content: a view, good until the next change. */
  bytes(): Buffer {
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

  #floor(offset: Offset): number {
    return this.#entries.floorInt32(relativeOffsetField, offset - this.baseOffset)
  }
}

/** Reads an `.index` file: the valid entries it begins with, and why it was not read to its end. */
export function decodeOffsetIndex(
  bytes: Buffer,
  baseOffset: Offset,
  options: IndexOptions = {},
): DecodedIndex<OffsetIndex> {
  const { entries, problem } = EntryBuffer.decode(bytes, entryOptions(options), checkEntry)
  return { index: new OffsetIndex(baseOffset, options, entries), problem }
}

const checkEntry: EntryCheck = (entries, entry) => {
  const relativeOffset = entries.int32At(entry, relativeOffsetField)
  const position = entries.int32At(entry, positionField)
  if (relativeOffset < 0) return { kind: 'range', reason: `relative offset ${relativeOffset}` }
  if (position < 0) return { kind: 'range', reason: `position ${position}` }
  if (entry === 0) return null
  const lastRelativeOffset = entries.int32At(entry - 1, relativeOffsetField)
  if (relativeOffset <= lastRelativeOffset) {
    return {
      kind: 'order',
      reason: `relative offset ${relativeOffset} after ${lastRelativeOffset}`,
    }
  }
  const lastPosition = entries.int32At(entry - 1, positionField)
  if (position <= lastPosition) {
    return { kind: 'order', reason: `position ${position} after ${lastPosition}` }
  }
  return null
}

function entryOptions(options: IndexOptions): { entryBytes: number; maxBytes: number } {
  return {
    entryBytes: offsetIndexEntryBytes,
    maxBytes: options.maxBytes ?? defaultIndexBytesMax,
  }
}

function isInt31(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= int32Max
}

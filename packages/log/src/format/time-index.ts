import { strict as assert } from 'node:assert'
import type { Offset, Timestamp } from '@varve/record'
import { writeInt32, writeInt64 } from '../base/int64.ts'
import type { File } from '../storage/file-system.ts'
import { EntryBuffer, type EntryCheck } from './entry-buffer.ts'
import type { DecodedIndex } from './index-problem.ts'
import { defaultIndexBytesMax, type IndexOptions } from './offset-index.ts'

// Kafka's TimeIndex, a `.timeindex` file: entries of
//
//   int64  timestamp        the largest in the segment up to here
//   int32  relativeOffset   last offset of the earliest batch that has it, less the base offset
//
// Timestamps increase strictly, offsets do not decrease. So every record with a later timestamp
// than an entry's lies behind that entry's offset.
const timestampField = 0
const relativeOffsetField = timestampField + 8
export const timeIndexEntryBytes: number = relativeOffsetField + 4

/** Relative offsets are non-negative int32. */
const relativeOffsetMax = 2 ** 31 - 1

export interface TimestampOffset {
  /** -1 where there is none. */
  readonly timestamp: Timestamp
  readonly offset: Offset
}

/**
 * From which offset on a segment can hold records later than a timestamp. In memory; derived from
 * the log like the offset index.
 */
export class TimeIndex {
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

  /** The valid entries that the file begins with; see {@link decodeTimeIndex} for what follows. */
  static decode(bytes: Buffer, baseOffset: Offset, options: IndexOptions = {}): TimeIndex {
    return decodeTimeIndex(bytes, baseOffset, options).index
  }

  get count(): number {
    return this.#entries.count
  }

  /** One entry early: the last place is kept for the entry that is forced when a segment ends. */
  get isFull(): boolean {
    return this.count >= this.#entries.maxCount - 1
  }

  get sizeBytes(): number {
    return this.#entries.sizeBytes
  }

  entryAt(entry: number): TimestampOffset {
    assert(entry >= 0 && entry < this.count, 'an entry is asked for that the index has')
    return {
      timestamp: this.#entries.int64At(entry, timestampField),
      offset: this.baseOffset + this.#entries.int32At(entry, relativeOffsetField),
    }
  }

  /** The newest entry, null while there is none. */
  get lastEntry(): TimestampOffset | null {
    return this.count === 0 ? null : this.entryAt(this.count - 1)
  }

  /** The last entry at or before a timestamp; (-1, base offset) when there is none. */
  lookup(targetTimestamp: Timestamp): TimestampOffset {
    const entry = this.#entries.floorInt64(timestampField, targetTimestamp)
    return entry < 0 ? { timestamp: -1, offset: this.baseOffset } : this.entryAt(entry)
  }

  /**
   * Appends unless `timestamp` is not later than the newest entry's; tells whether it did. With
   * `force`, as when a segment is rolled or closed, it may take the place that is kept free.
   */
  maybeAppend(
    timestamp: Timestamp,
    offset: Offset,
    options: { readonly force?: boolean } = {},
  ): boolean {
    assert(options.force === true || !this.isFull, 'a time index that is full is not appended to')
    const last = this.lastEntry
    if (timestamp <= (last?.timestamp ?? -1)) return false
    assert(offset >= (last?.offset ?? this.baseOffset), 'offsets do not decrease in a time index')
    assert(offset - this.baseOffset <= relativeOffsetMax, 'an offset is within 2^31 of its base')
    const added = this.#entries.add()
    writeInt64(added.bytes, added.position + timestampField, timestamp)
    writeInt32(added.bytes, added.position + relativeOffsetField, offset - this.baseOffset)
    return true
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
}

/** Reads a `.timeindex` file: the valid entries it begins with, and why not more. */
export function decodeTimeIndex(
  bytes: Buffer,
  baseOffset: Offset,
  options: IndexOptions = {},
): DecodedIndex<TimeIndex> {
  const { entries, problem } = EntryBuffer.decode(bytes, entryOptions(options), checkEntry)
  return { index: new TimeIndex(baseOffset, options, entries), problem }
}

const checkEntry: EntryCheck = (entries, entry) => {
  const timestamp = entries.int64At(entry, timestampField)
  const relativeOffset = entries.int32At(entry, relativeOffsetField)
  if (timestamp < 0 || !Number.isSafeInteger(timestamp)) {
    return { kind: 'range', reason: `timestamp ${timestamp}` }
  }
  if (relativeOffset < 0) return { kind: 'range', reason: `relative offset ${relativeOffset}` }
  if (entry === 0) return null
  const lastTimestamp = entries.int64At(entry - 1, timestampField)
  if (timestamp <= lastTimestamp) {
    return { kind: 'order', reason: `timestamp ${timestamp} after ${lastTimestamp}` }
  }
  const lastRelativeOffset = entries.int32At(entry - 1, relativeOffsetField)
  if (relativeOffset < lastRelativeOffset) {
    return {
      kind: 'order',
      reason: `relative offset ${relativeOffset} after ${lastRelativeOffset}`,
    }
  }
  return null
}

function entryOptions(options: IndexOptions): { entryBytes: number; maxBytes: number } {
  return { entryBytes: timeIndexEntryBytes, maxBytes: options.maxBytes ?? defaultIndexBytesMax }
}

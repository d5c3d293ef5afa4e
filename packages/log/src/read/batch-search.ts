import {
  batchOverheadBytes,
  batchPrefixBytes,
  type FilePosition,
  type Offset,
  RecordBatch,
} from '@varve/record'
import { readInt32, readInt64 } from '../base/int64.ts'

const sizeField = 8
const magicField = 16
const lastOffsetDeltaField = 23

/** Bytes of a segment, from the start of a batch on, and what is known of the place. */
export interface BatchStretch {
  readonly bytes: Buffer
  readonly position: FilePosition
  /** The last offset of the batch at the start; -1 where nobody knows. */
  readonly firstLastOffset: Offset
  /** The first batch begins behind this offset. */
  readonly previousOffset: Offset
  /** No batch of the segment has this offset or a later one. */
  readonly nextOffset: Offset
  /** Up to where the segment may be read. */
  readonly limit: FilePosition
}

/** Where a batch was found, and that it is right as far as that shows without its checksum. */
export interface FoundBatch {
  readonly start: number
  readonly end: number
  readonly lastOffset: Offset
}

/**
 * The batch that holds an offset, found by the headers of those before it, whose checksums are left
 * alone: what is given is in its place between them, and holds the offset by its own header.
 *
 * Null whenever anything is not as it mostly is: the batch is not whole, or of an old format, there
 * is a gap at the offset, something is damaged. Then it takes a slower look.
 */
export function findBatch(stretch: BatchStretch, offset: Offset): FoundBatch | null {
  const { bytes, firstLastOffset } = stretch
  let previous = stretch.previousOffset
  for (let start = 0; ; ) {
    const lastOffset = lastOffsetAt(stretch, start, previous)
    if (lastOffset < 0) return null
    if (start === 0 && firstLastOffset >= 0 && lastOffset !== firstLastOffset) return null
    const end = start + batchOverheadBytes + readInt32(bytes, start + sizeField)
    if (lastOffset < offset) {
      previous = lastOffset
      start = end
      continue
    }
    const isFound = readInt64(bytes, start) <= offset && isFollowed(stretch, end, lastOffset)
    return isFound ? { start, end, lastOffset } : null
  }
}

/** The batch behind one that was found; null as {@link findBatch}. */
export function nextBatch(
  stretch: BatchStretch,
  { end, lastOffset }: FoundBatch,
): FoundBatch | null {
  const nextLastOffset = lastOffsetAt(stretch, end, lastOffset)
  if (nextLastOffset < 0) return null
  const nextEnd = end + batchOverheadBytes + readInt32(stretch.bytes, end + sizeField)
  if (!isFollowed(stretch, nextEnd, nextLastOffset)) return null
  return { start: end, end: nextEnd, lastOffset: nextLastOffset }
}

/** The last offset of the batch that stands there; -1 where none does that is as it should be. */
function lastOffsetAt(
  { bytes, nextOffset }: BatchStretch,
  start: number,
  previous: Offset,
): Offset {
  if (start + RecordBatch.headerBytes > bytes.length || bytes[start + magicField] !== 2) return -1
  const size = batchOverheadBytes + readInt32(bytes, start + sizeField)
  const delta = readInt32(bytes, start + lastOffsetDeltaField)
  const baseOffset = readInt64(bytes, start)
  const isRight =
    size >= RecordBatch.headerBytes &&
    baseOffset > previous &&
    delta >= 0 &&
    baseOffset + delta < nextOffset
  return isRight ? baseOffset + delta : -1
}

/**
 * Whether a batch that ends there is whole, and the next one, where there is one, begins behind its
 * last offset: offsets are not under the checksum, and one that was raised shows only there.
 */
function isFollowed(stretch: BatchStretch, end: number, lastOffset: Offset): boolean {
  const { bytes, position, limit } = stretch
  if (position + end === limit) return end <= bytes.length
  return end + batchPrefixBytes <= bytes.length && readInt64(bytes, end) > lastOffset
}

import { batchOverheadBytes, batchPrefixBytes, CorruptBatchError, type Offset } from '@varve/record'
import { readInt32, readInt64 } from '../base/int64.ts'

/** Which batches are wanted. */
export interface Wanted {
  /** The first record that is. */
  readonly from: Offset
  /** None that begin at it or behind. */
  readonly limitOffset: Offset
  /** Batches claim no offsets at it or behind. */
  readonly endOffset: Offset
  /** So many bytes; of a first batch that has more, all the same. */
  readonly maxBytes: number
}

/** Whole batches that lie one after the other. */
export interface Cut {
  /** Where the first one begins; where to look on when there is none. */
  readonly start: number
  /** Where the last one ends; the same as `start` when there is none. */
  readonly end: number
  /** The offset after the last one. */
  readonly nextOffset: Offset
  /** The size of the batch at `start`, where it is wanted and not whole; else 0. */
  readonly missingBytes: number
  /** The last offset of the very first batch; -1 without one. */
  readonly firstLastOffset: Offset
}

/** Least size of a batch of any format: an empty one of magic 0. */
const sizeMin = 26
const magicAt = 16
const lastOffsetDeltaAt = 23
/** Of a batch of magic 2, up to where its last offset is known. */
const knownBytes = lastOffsetDeltaAt + 4

/**
 * The whole batches that are wanted, out of bytes that begin with a batch. Only sizes and offsets
 * are looked at: they must be possible, and rise. Throws CorruptBatchError at the first batch of
 * which that is not true.
 */
export function cutBatches(bytes: Uint8Array, wanted: Wanted): Cut {
  const { from, limitOffset, endOffset, maxBytes } = wanted
  let start = -1
  let at = 0
  let nextOffset = from
  let previous = -1
  let firstLastOffset = -1
  while (at + batchPrefixBytes <= bytes.length) {
    const size = batchOverheadBytes + readInt32(bytes, at + batchOverheadBytes - 4)
    if (size < sizeMin) throw new CorruptBatchError(`its size is ${size}`, at)
    const isCurrent = bytes[at + magicAt] === 2
    if (isCurrent && at + knownBytes > bytes.length) break
    const base = readInt64(bytes, at)
    const last = isCurrent ? base + readInt32(bytes, at + lastOffsetDeltaAt) : base
    if (!(base > previous && last >= base && last < endOffset)) {
      throw new CorruptBatchError(`its offsets ${base} to ${last} are not possible there`, at)
    }
    if (previous < 0) firstLastOffset = last
    previous = last
    if (last < from) {
      at += size
      continue
    }
    if (base >= limitOffset) break
    const end = at + size
    if (start < 0) start = at
    if (end > bytes.length) {
      if (start === at)
        return { start, end: start, nextOffset, missingBytes: size, firstLastOffset }
      break
    }
    if (end - start > maxBytes && start !== at) break
    at = end
    nextOffset = last + 1
  }
  if (start < 0) return { start: at, end: at, nextOffset, missingBytes: 0, firstLastOffset }
  return { start, end: at, nextOffset, missingBytes: 0, firstLastOffset }
}

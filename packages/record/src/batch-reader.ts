import assert from 'node:assert/strict'
import type { Batch } from './batch.ts'
import { batchLengthAt, batchOverheadBytes, batchPrefixBytes, magicAt } from './batch-header.ts'
import { CorruptBatchError } from './errors.ts'
import { LegacyBatch } from './legacy-batch.ts'
import { RecordBatch } from './record-batch.ts'
import type { FilePosition } from './units.ts'

/** The least size field there is: that of an empty record of magic 0. Kafka's limit. */
const batchLengthMin = 14

/**
 * Total size in bytes of the batch that starts at `start`; null when fewer than
 * {@link batchPrefixBytes} bytes are there.
 *
 * @param position of `start` in its file, for errors
 * @throws {CorruptBatchError} when the size field is impossible, as in a preallocated tail of
 *   zeros.
 */
export function batchSizeAt(
  bytes: Buffer,
  start: number,
  end: number,
  position: FilePosition,
): number | null {
  assert(start >= 0 && end <= bytes.length, 'the range lies within the bytes')
  if (end - start < batchPrefixBytes) return null
  const batchLength = bytes.readInt32BE(start + batchLengthAt)
  if (batchLength < batchLengthMin) {
    throw new CorruptBatchError(`its size field is ${batchLength}`, position)
  }
  return batchOverheadBytes + batchLength
}

/**
 * The batch that starts at `start`; null when the bytes up to `end` do not hold all of it.
 *
 * Only what the header says is checked, and of that only what nobody could work with: an unknown
 * magic, a size too small for it, numbers outside their range. The checksum is left to
 * `Batch.validate`.
 *
 * @param position of `start` in its file, for errors
 * @throws {CorruptBatchError}
 */
export function readBatchAt(
  bytes: Buffer,
  start: number,
  end: number,
  position: FilePosition,
): Batch | null {
  const sizeBytes = batchSizeAt(bytes, start, end, position)
  if (sizeBytes === null || sizeBytes > end - start) return null
  const batch = bytes.subarray(start, start + sizeBytes)
  const magic = bytes.readInt8(start + magicAt)
  if (magic === 2) return new RecordBatch(batch, position)
  if (magic === 0 || magic === 1) return new LegacyBatch(batch, position)
  throw new CorruptBatchError(`its magic is ${magic}`, position)
}

/**
 * All complete batches of a buffer, in order.
 *
 * @param position of the buffer's first byte in its file, for errors
 * @returns the number of bytes at the end that hold no complete batch
 * @throws {CorruptBatchError} while iterating, as `readBatchAt`.
 */
export function* readBatches(
  bytes: Buffer,
  position: FilePosition = 0,
): Generator<Batch, number, undefined> {
  let start = 0
  while (true) {
    const batch = readBatchAt(bytes, start, bytes.length, position + start)
    if (batch === null) return bytes.length - start
    yield batch
    start += batch.sizeBytes
  }
}

import type { File, FileSystem, SegmentInfo } from '@varve/log'
import {
  decodeSegmentDigest,
  readSmallFile,
  type SegmentDigest,
  SpineDigest,
  segmentDigestBytesMax,
} from '@varve/log/files'
import type { IoThrottle } from '@varve/log/pacing'
import { type Batch, batchSizeAt, CorruptBatchError, readBatchAt, VarveError } from '@varve/record'
import { SegmentDamageError } from '../cleaning-errors.ts'

/** Read at once: half a millisecond's work, after which others may need the processor. */
const chunkBytes = 256 * 1024

/**
 * Reads a sealed segment from its start to its end, once, and yields its batches in lists: views of
 * memory that is used again for the next list. Everything is checked: the checksum of every batch,
 * that offsets rise and stay in the segment, that the segment ends where it should, and at the end
 * the digest that was made when it was sealed, so that damage is never copied as if it were data.
 *
 * Throws SegmentDamageError, and the file system's errors.
 */
export async function* segmentBatches(
  fs: FileSystem,
  segment: SegmentInfo,
  throttle: IoThrottle,
): AsyncGenerator<readonly Batch[], void, undefined> {
  const digest = readDigest(fs, segment)
  const file = fs.open(segment.path, 'read')
  try {
    yield* checkedBatches(file, segment, throttle, digest)
  } finally {
    file.close()
  }
}

async function* checkedBatches(
  file: File,
  segment: SegmentInfo,
  throttle: IoThrottle,
  digest: SegmentDigest | null,
): AsyncGenerator<readonly Batch[], void, undefined> {
  const { sizeBytes } = segment
  const place = { segment, spine: new SpineDigest(), nextOffset: segment.baseOffset }
  let buffer: Buffer = Buffer.allocUnsafe(Math.min(chunkBytes, sizeBytes))
  let position = 0
  let filled = 0
  while (position < sizeBytes) {
    const wanted = Math.min(buffer.length, sizeBytes - position)
    await throttle.spend(wanted - filled)
    filled += await file.read(buffer.subarray(filled, wanted), position + filled)
    if (filled < wanted) throw damage(segment, position + filled, 'the file ends too early')
    const { batches, bytes, needed } = completeBatches(place, buffer, filled, position)
    if (batches.length > 0) yield batches
    position += bytes
    if (needed > sizeBytes - position && position < sizeBytes) {
      throw damage(segment, position, `a batch of ${needed} bytes does not fit in it`)
    }
    filled -= bytes
    const next = needed > buffer.length ? Buffer.allocUnsafe(needed) : buffer
    buffer.copy(next, 0, bytes, bytes + filled)
    buffer = next
  }
  if (digest === null) return
  if (digest.spineCrc32c !== place.spine.value || digest.batches !== place.spine.batches) {
    throw damage(segment, 0, 'it is not what its digest says that was sealed')
  }
}

interface Reading {
  readonly segment: SegmentInfo
  readonly spine: SpineDigest
  nextOffset: number
}

/** The batches that lie wholly in the buffer, each checked. */
function completeBatches(
  reading: Reading,
  buffer: Buffer,
  filled: number,
  position: number,
): { readonly batches: readonly Batch[]; readonly bytes: number; readonly needed: number } {
  const batches: Batch[] = []
  let start = 0
  try {
    for (;;) {
      const size = batchSizeAt(buffer, start, filled, position + start)
      if (size === null || start + size > filled) {
        return { batches, bytes: start, needed: size ?? filled - start + 1 }
      }
      const batch = readBatchAt(buffer, start, filled, position + start)
      if (batch === null) return { batches, bytes: start, needed: size }
      batch.validate()
      checkPlace(reading, batch)
      batches.push(batch)
      start += size
    }
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    const reason = error instanceof CorruptBatchError ? error.reason : error.message
    throw damage(reading.segment, position + start, reason)
  }
}

function checkPlace(reading: Reading, batch: Batch): void {
  // The base offset of a compressed batch of the old formats is inside; its last offset is not.
  const firstOffset = batch.magic === 2 ? batch.baseOffset : batch.lastOffset
  if (firstOffset < reading.nextOffset || batch.nextOffset > reading.segment.nextOffset) {
    const range = `${reading.nextOffset} to ${reading.segment.nextOffset} was expected`
    throw new CorruptBatchError(
      `it has the offsets ${firstOffset} to ${batch.lastOffset}, ${range}`,
      batch.position,
    )
  }
  reading.nextOffset = batch.nextOffset
  reading.spine.add(batch.bytes)
}

/** The digest of the segment as it is; null when Varve did not seal it. */
export function readDigest(fs: FileSystem, { path, sizeBytes }: SegmentInfo): SegmentDigest | null {
  const digestPath = path.replace(/\.log$/, '.digest')
  const bytes = readSmallFile(fs, digestPath, segmentDigestBytesMax)
  if (bytes === null) return null
  const digest = decodeSegmentDigest(bytes, digestPath)
  return digest.sizeBytes === sizeBytes ? digest : null
}

function damage(segment: SegmentInfo, position: number, reason: string): SegmentDamageError {
  return new SegmentDamageError(segment.path, position, reason)
}

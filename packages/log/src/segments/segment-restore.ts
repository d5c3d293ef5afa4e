import { batchOverheadBytes, crc32c, readBatchAt, type Timestamp, VarveError } from '@varve/record'
import type { LogContext } from '../base/log-context.ts'
import { decodeOffsetIndex } from '../format/offset-index.ts'
import {
  CorruptDigestError,
  decodeSegmentDigest,
  type SegmentDigest,
  SpineDigest,
  segmentDigestBytesMax,
} from '../format/segment-digest.ts'
import type { ListedSegment } from '../format/segment-listing.ts'
import { decodeTimeIndex } from '../format/time-index.ts'
import { decodeTransactionIndex, transactionIndexBytesMax } from '../format/transaction-index.ts'
import { activeDigestFileName } from '../storage/file-names.ts'
import { type FileSystem, readFileStart, writeDurably } from '../storage/file-system.ts'
import { ActiveSegment } from './active-segment.ts'
import { segmentPath } from './segment-files.ts'

/** A batch header of the current format. */
const headerBytes = 61

const noBytes = Buffer.alloc(0)

/**
 * The active segment as a clean shutdown left it, from its indexes and digest, without reading its
 * records. Null when these are missing or do not fit: then the segment has to be read, as after a
 * crash. (Kafka leaves no digest, so a directory that it closed is read once.)
 */
export function restoreActiveSegment(
  context: LogContext,
  listed: ListedSegment,
): ActiveSegment | null {
  const { fs, directory, options, clock } = context
  const { baseOffset, sizeBytes } = listed
  const digest = readDigest(fs, `${directory}/${activeDigestFileName(baseOffset)}`)
  if (digest === null || digest.sizeBytes !== sizeBytes) return null
  // One byte more than the settings allow, so that a larger file does not look whole.
  const read = (kind: 'index' | 'timeindex' | 'txnindex'): Buffer | null =>
    readFileStart(fs, segmentPath(directory, baseOffset, kind), options.segmentIndexBytes + 1)
  const offsetBytes = read('index')
  const timeBytes = read('timeindex')
  if (offsetBytes === null || timeBytes === null) return null
  if (Math.max(offsetBytes.length, timeBytes.length) > options.segmentIndexBytes) return null
  const maxBytes = options.segmentIndexBytes
  const offsets = decodeOffsetIndex(offsetBytes, baseOffset, { maxBytes })
  const times = decodeTimeIndex(timeBytes, baseOffset, { maxBytes })
  const transactionBytes = (listed.kinds.has('txnindex') ? read('txnindex') : null) ?? noBytes
  if (crc32c(transactionBytes) !== digest.transactionIndexCrc32c) return null
  if (crc32c(timeBytes) !== digest.timeIndexCrc32c) return null
  const transactions = decodeTransactionIndex(transactionBytes, baseOffset)
  if (offsets.problem !== null || times.problem !== null || transactions.problem !== null) {
    return null
  }
  const lastEntry = offsets.index.lastEntry
  if (lastEntry !== null && lastEntry.position >= sizeBytes) return null
  // Entries beyond the segment's end are another file's, or altered: the next would not follow them.
  const lastIndexed = Math.max(lastEntry?.offset ?? 0, times.index.lastEntry?.offset ?? 0)
  if (digest.nextOffset < baseOffset || lastIndexed > digest.nextOffset) return null
  if ((times.index.lastEntry?.timestamp ?? -1) !== digest.maxTimestamp) return null
  return new ActiveSegment(directory, baseOffset, options, {
    createdMs: clock.now(),
    jitter: context.random(),
    restored: {
      sizeBytes,
      nextOffset: digest.nextOffset,
      firstTimestamp: readFirstTimestamp(context, listed),
      offsetIndex: offsets.index,
      timeIndex: times.index,
      transactionIndex: transactions.index,
      spine: new SpineDigest({ crc: digest.spineCrc32c, batches: digest.batches }),
    },
  })
}

/**
 * Whether a segment was sealed to the end. Its digest is written when all that it covers is durable,
 * but the names of these files become so later: a crash can keep any of them and lose another.
 */
export function isSealed(context: LogContext, listed: ListedSegment): boolean {
  const { fs, directory } = context
  if (!listed.kinds.has('index') || !listed.kinds.has('timeindex')) return false
  const digest = readDigest(fs, segmentPath(directory, listed.baseOffset, 'digest'))
  if (digest === null || digest.sizeBytes !== listed.sizeBytes) return false
  // A segment without aborted transactions has no index of them, so that a lost one is not missed.
  const path = segmentPath(directory, listed.baseOffset, 'txnindex')
  const bytes = readFileStart(fs, path, transactionIndexBytesMax)
  return crc32c(bytes ?? Buffer.alloc(0)) === digest.transactionIndexCrc32c
}

/**
 * The digest that covers most of a segment: the one of its sealing, or of a clean shutdown when it
 * was the active one. Made when all that it covers was durable. Null when neither can be used.
 */
export function readNewestDigest(
  fs: FileSystem,
  directory: string,
  listed: ListedSegment,
): SegmentDigest | null {
  const sealed = readDigest(fs, segmentPath(directory, listed.baseOffset, 'digest'))
  const active = readDigest(fs, `${directory}/${activeDigestFileName(listed.baseOffset)}`)
  const fitting = [sealed, active].filter((it) => it !== null && it.sizeBytes <= listed.sizeBytes)
  return fitting.reduce((a, b) => ((a?.sizeBytes ?? -1) >= (b?.sizeBytes ?? -1) ? a : b), null)
}

/**
 * Writes a sealed segment's digest again. That it can be read does not mean that its flush was
 * successful, or that there was time for it.
 */
export async function makeDigestDurable(context: LogContext, listed: ListedSegment): Promise<void> {
  const { fs, directory } = context
  const path = segmentPath(directory, listed.baseOffset, 'digest')
  const bytes = readFileStart(fs, path, segmentDigestBytesMax)
  if (bytes !== null) await writeDurably(fs, path, bytes)
}

/** A digest; null when there is none or it cannot be used. */
export function readDigest(fs: FileSystem, path: string): SegmentDigest | null {
  // One byte more than a digest has, so that a longer file is refused.
  const bytes = readFileStart(fs, path, segmentDigestBytesMax + 1)
  if (bytes === null) return null
  try {
    return decodeSegmentDigest(bytes, path)
  } catch (error) {
    if (error instanceof CorruptDigestError) return null
    throw error
  }
}

/** The first batch's largest timestamp, which the segment's age counts from: one header is read. */
function readFirstTimestamp(context: LogContext, listed: ListedSegment): Timestamp | null {
  if (listed.sizeBytes < headerBytes) return null
  const file = context.fs.open(listed.path, 'read')
  try {
    const header = Buffer.alloc(headerBytes)
    file.readSync(header, 0)
    // The header alone does not make a batch: its length is set to what is there.
    header.writeInt32BE(headerBytes - batchOverheadBytes, batchOverheadBytes - 4)
    return readBatchAt(header, 0, headerBytes, 0)?.maxTimestamp ?? null
  } catch (error) {
    // Damage is for readers to find: here the segment's age merely counts from now.
    if (error instanceof VarveError) return null
    throw error
  } finally {
    file.close()
  }
}

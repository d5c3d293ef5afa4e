import { strict as assert } from 'node:assert'
import type { Offset } from '@varve/record'
import { sealSegment } from '../append/seal-job.ts'
import type { LogContext } from '../base/log-context.ts'
import { CorruptLogError, type Damage, LostWriteError } from '../base/log-errors.ts'
import type { LogCut } from '../base/recovery-report.ts'
import type { LeaderEpochCache } from '../format/leader-epoch-cache.ts'
import type { SegmentDigest } from '../format/segment-digest.ts'
import type { ListedSegment } from '../format/segment-listing.ts'
import type { ScanEnd } from '../format/segment-scan.ts'
import type { ProducerStateManager } from '../producers/producer-state.ts'
import { ActiveSegment } from '../segments/active-segment.ts'
import { type ScannedSegment, scanSegment } from '../segments/segment-recovery.ts'
import { readNewestDigest } from '../segments/segment-restore.ts'
import { producerSnapshotFileName } from '../storage/file-names.ts'
import { type File, writeDurably } from '../storage/file-system.ts'
import { keepTail, setSegmentAside, validBatchesFollow } from './log-cut.ts'

/** What recovery starts from. */
export interface RecoveryStart {
  /** Of the log. */
  readonly name: string
  /** The segments from the one in which the recovery point lies; at least one. */
  readonly segments: readonly ListedSegment[]
  readonly recoveryPoint: Offset
  /** Whether Varve wrote the log last: then its segments follow each other without a gap. */
  readonly isGapless: boolean
  readonly producers: ProducerStateManager
  readonly epochs: LeaderEpochCache
}

export interface RecoveredSegments {
  /** The segments that are left; the last one is to be appended to, the others are sealed again. */
  readonly segments: readonly ActiveSegment[]
  readonly scannedBytes: number
  readonly cut: LogCut | null
}

interface BadPlace {
  readonly file: File
  readonly segment: ActiveSegment
  readonly end: ScanEnd
  readonly fileBytes: number
  readonly later: readonly ListedSegment[]
}

/**
 * Recovers the end of a log after a crash: reads the segments from the recovery point on, rebuilds
 * everything that is derived from them, and ends the log at the first batch that is not right.
 *
 *   found                                             done
 *   a bad batch below the recovery point              CorruptLogError; nothing is changed
 *   the end of the data below the recovery point      likewise
 *   a torn or bad batch above it                      the log ends there; the rest is kept aside
 *   a gap between two segments above it               likewise: the earlier one lost its end
 *   a batch that reaches into the next segment        as a bad batch: its offset was altered
 *   valid batches after such a place                  likewise, and the report says so; or, with
 *                                                     `onLostWrites: 'refuse'`, LostWriteError
 *
 * What is kept is made durable before anything is acknowledged on top of it. A crash in here leads
 * here again: later segments are set aside, durably, before the bad one is cut.
 */
export async function recoverSegments(
  context: LogContext,
  start: RecoveryStart,
): Promise<RecoveredSegments> {
  const recovered: ActiveSegment[] = []
  let scannedBytes = 0
  for (const [index, listed] of start.segments.entries()) {
    const segment = new ActiveSegment(context.directory, listed.baseOffset, context.options, {
      createdMs: context.clock.now(),
      jitter: context.random(),
    })
    const later = start.segments.slice(index + 1)
    const file = context.fs.open(listed.path, 'write')
    try {
      const digest = readNewestDigest(context.fs, context.directory, listed)
      const digestPosition = digest?.sizeBytes ?? null
      const { recoveryPoint } = start
      const endOffset = later[0]?.baseOffset ?? null
      // A cleaned segment always has a digest; without one nothing can have gone from the last.
      const isWhole = start.isGapless && endOffset === null && digest === null
      const bounds = { recoveryPoint, endOffset, digestPosition, isWhole, isRewritten: true }
      const scanned = await scanSegment(file, segment, start, bounds)
      if (digest !== null) refuseAlteredHeaders(segment, digest, scanned)
      scannedBytes += scanned.fileBytes
      const end = withGap(scanned.end, segment, later[0], start)
      if (end.stop !== 'end') {
        const place = { file, segment, end, fileBytes: scanned.fileBytes, later }
        const cut = await cutLog(context, place, start.recoveryPoint)
        recovered.push(segment)
        return { segments: recovered, scannedBytes, cut }
      }
    } finally {
      file.close()
    }
    recovered.push(segment)
    const [next] = later
    if (next !== undefined) {
      await sealRecovered(context, segment, start.producers, next.baseOffset)
    }
  }
  const last = recovered.at(-1)
  assert(last !== undefined, 'there is a segment to recover')
  refuseShortLog(last, start.recoveryPoint)
  return { segments: recovered, scannedBytes, cut: null }
}

/**
 * Base offsets are not under the batches' checksums, but under the digest of what was durable when
 * it was made. A raised one would be believed here, and what follows it cut off.
 */
function refuseAlteredHeaders(
  segment: ActiveSegment,
  digest: SegmentDigest,
  scanned: ScannedSegment,
): void {
  const { spineAtDigest, end } = scanned
  const isAltered = spineAtDigest !== null && spineAtDigest !== digest.spineCrc32c
  const isCut = end.position < digest.sizeBytes && scanned.fileBytes >= digest.sizeBytes
  if (!isAltered && !isCut) return
  throw new CorruptLogError({
    path: segment.path,
    position: isCut ? end.position : 0,
    firstOffset: isCut ? Math.min(segment.nextOffset, digest.nextOffset) : segment.baseOffset,
    lastOffset: digest.nextOffset - 1,
    reason: end.reason ?? 'batch headers are not those of which the digest was made',
  })
}

/** A segment that ends before the next one begins has lost its end, unless it was compacted. */
function withGap(
  end: ScanEnd,
  segment: ActiveSegment,
  next: ListedSegment | undefined,
  start: RecoveryStart,
): ScanEnd {
  const isGap = next !== undefined && segment.nextOffset < next.baseOffset
  if (end.stop !== 'end' || !isGap || !start.isGapless) return end
  // Compaction leaves gaps, but only where everything was flushed.
  if (segment.nextOffset < start.recoveryPoint) return end
  const reason = `the segment ends at offset ${segment.nextOffset}, the next begins at ${next.baseOffset}`
  return { position: end.position, stop: 'incomplete', reason }
}

async function cutLog(
  context: LogContext,
  place: BadPlace,
  recoveryPoint: Offset,
): Promise<LogCut> {
  const { file, segment, end, fileBytes, later } = place
  const offset = segment.nextOffset
  const reason = end.reason ?? 'unreadable'
  const damage: Damage = {
    path: segment.path,
    position: end.position,
    firstOffset: offset,
    lastOffset: offset < recoveryPoint ? recoveryPoint - 1 : null,
    reason,
  }
  if (offset < recoveryPoint) throw new CorruptLogError(damage)
  const validBatchesFollowed =
    later.some(({ sizeBytes }) => sizeBytes > 0) ||
    (await validBatchesFollow(file, end.position, fileBytes, offset))
  if (validBatchesFollowed && context.options.onLostWrites === 'refuse') {
    throw new LostWriteError(damage)
  }
  const { fs, directory } = context
  const keptTail = await keepTail(fs, file, end.position, fileBytes)
  const keptIn = keptTail === null ? [] : [keptTail]
  // The last one first: what is left is a log without a hole at any moment.
  for (const listed of later.toReversed()) {
    const kept = await setSegmentAside(fs, directory, listed)
    if (kept !== null) keptIn.push(kept)
  }
  await fs.syncDirectory(directory)
  file.truncate(end.position)
  await file.datasync()
  const cutBytes = later.reduce((sum, { sizeBytes }) => sum + sizeBytes, fileBytes - end.position)
  const { path } = segment
  return {
    path,
    position: end.position,
    offset,
    bytes: cutBytes,
    reason,
    validBatchesFollowed,
    keptIn,
  }
}

/** A log that ends below what is known to be durable has lost it, even if nothing looks broken. */
export function refuseShortLog(last: ActiveSegment, recoveryPoint: Offset): void {
  if (last.nextOffset >= recoveryPoint) return
  throw new CorruptLogError({
    path: last.path,
    position: last.sizeBytes,
    firstOffset: last.nextOffset,
    lastOffset: recoveryPoint - 1,
    reason: `the log ends at offset ${last.nextOffset}, but was flushed up to ${recoveryPoint}`,
  })
}

/** What sealing would have done had the process lived, in its order. */
async function sealRecovered(
  context: LogContext,
  segment: ActiveSegment,
  producers: ProducerStateManager,
  nextBaseOffset: Offset,
): Promise<void> {
  const { fs, directory } = context
  await sealSegment(fs, segment)
  const snapshotPath = `${directory}/${producerSnapshotFileName(nextBaseOffset)}`
  await writeDurably(fs, snapshotPath, producers.encodeSnapshot())
}

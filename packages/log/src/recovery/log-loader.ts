import { strict as assert } from 'node:assert'
import { InvalidArgumentError, type Offset } from '@varve/record'
import type { LoadedLog } from '../append/log-state.ts'
import { logChannels } from '../base/diagnostics.ts'
import type { LogContext } from '../base/log-context.ts'
import { CorruptLogError } from '../base/log-errors.ts'
import { LogOffsets } from '../base/log-offsets.ts'
import type { LogCut, RecoveryReport } from '../base/recovery-report.ts'
import type { LeaderEpochCache } from '../format/leader-epoch-cache.ts'
import { provenLogStart } from '../format/log-start.ts'
import { ProgressFile, progressFileBytes } from '../format/progress-file.ts'
import { type ListedSegment, LogListing } from '../format/segment-listing.ts'
import { loadProducers, removeStraySnapshots } from '../producers/producer-loading.ts'
import type { ProducerStateManager } from '../producers/producer-state.ts'
import { ActiveSegment } from '../segments/active-segment.ts'
import { LogSegments } from '../segments/log-segments.ts'
import { SealedSegment } from '../segments/sealed-segment.ts'
import { createSegmentFile } from '../segments/segment-files.ts'
import { isSealed, makeDigestDurable, restoreActiveSegment } from '../segments/segment-restore.ts'
import { finishSwap } from '../segments/segment-swap.ts'
import { leaderEpochCheckpointFileName, progressFileName } from '../storage/file-names.ts'
import { readFileStart, replaceSmallFile } from '../storage/file-system.ts'
import { loadEpochs } from './epoch-loading.ts'
import { recoverSegments, refuseShortLog } from './log-recovery.ts'

/** What is known before any segment is looked at. */
interface Known {
  /** Everything below was flushed. */
  readonly flushedOffset: Offset
  /** Where recovery begins: the same, or the log start offset where that is higher. */
  readonly recoveryPoint: Offset
  readonly logStartOffset: Offset
  /** Whether Varve wrote the log last: from the recovery point on its segments have no gap. */
  readonly isGapless: boolean
}

const unscanned = { scannedSegments: 0, scannedBytes: 0, cut: null } as const

/** The segments, once the last of them can be appended to. */
interface LoadedSegments {
  readonly sealed: readonly SealedSegment[]
  readonly active: ActiveSegment
  readonly producers: ProducerStateManager
  readonly scannedSegments: number
  readonly scannedBytes: number
  readonly cut: LogCut | null
  readonly isRestored: boolean
}

/**
 * Reads what is on disk and makes of it what a log can be built from: finishes interrupted
 * replacements, recovers what a crash may have damaged, loads what is derived. After a clean
 * shutdown no record data is read, and sealed segments are not even opened.
 *
 * Throws CorruptLogError and LostWriteError, having changed nothing that holds records.
 */
export async function loadLog(
  context: LogContext,
  isClean: boolean,
): Promise<{ readonly loaded: LoadedLog; readonly report: RecoveryReport }> {
  const { fs, directory, clock, name } = context
  const started = clock.monotonic()
  // Names that a killed process made or removed become durable before anything is built on them. A
  // file that a power cut brought back could know of a later recovery point than is assumed here.
  if (!isClean) await fs.syncDirectory(directory)
  const { listing, finishedFiles } = await listFinished(context)
  const listed = listing.segments(fs)
  const rebuiltFiles: string[] = []
  const logStart = await readLogStart(context, rebuiltFiles)
  const known = readKnown(context, listing, listed, logStart)
  await removeOrphans(context, listing, finishedFiles)
  const { logStartOffset: knownStart } = known
  const { epochs, saved } = await loadEpochs(context, listed, knownStart, rebuiltFiles)

  const options = { listing, listed, known, isClean, epochs, rebuiltFiles }
  const segments = await loadSegments(context, options)
  const { active, producers } = segments
  const logEndOffset = Math.max(active.nextOffset, known.logStartOffset)
  const logStartOffset = Math.max(known.logStartOffset, (segments.sealed[0] ?? active).baseOffset)
  epochs.truncateFromEnd(logEndOffset)
  epochs.truncateFromStart(logStartOffset)
  if (saved === null || !epochs.encode().equals(saved)) {
    await replaceSmallFile(fs, `${directory}/${leaderEpochCheckpointFileName}`, epochs.encode())
  }
  // What was recovered or made anew may have other snapshots than the listing shows.
  const isAsListed = segments.isRestored && rebuiltFiles.length === 0
  const { snapshotOffsets } = isAsListed ? listing : LogListing.read(fs, directory)
  const logSegments = new LogSegments(segments.sealed, active)
  const isBaseOffset = (offset: Offset) => logSegments.floor(offset)?.baseOffset === offset
  await removeStraySnapshots(context, snapshotOffsets, isBaseOffset, logEndOffset)

  const report: RecoveryReport = {
    clean: isClean,
    recoveryPoint: known.recoveryPoint,
    logStartOffset,
    logEndOffset,
    segments: segments.sealed.length + 1,
    scannedSegments: segments.scannedSegments,
    scannedBytes: segments.scannedBytes,
    durationMs: clock.monotonic() - started,
    cut: segments.cut,
    finishedFiles,
    rebuiltFiles,
  }
  logChannels.recover.publish({ log: name, report })
  const loaded: LoadedLog = {
    ...context,
    segments: logSegments,
    offsets: new LogOffsets(logStartOffset, logEndOffset),
    producers,
    epochs,
    leaderEpoch: leaderEpochOf(context, epochs),
    // What was recovered has been made durable.
    recoveryPoint: logEndOffset,
    isRestored: segments.isRestored,
  }
  return { loaded, report }
}

function leaderEpochOf(context: LogContext, epochs: LeaderEpochCache): number {
  const latest = epochs.latestEpoch ?? 0
  const { leaderEpoch } = context.options
  if (leaderEpoch === null || leaderEpoch >= latest) return leaderEpoch ?? latest
  const rule = `log ${context.name} has records of leader epoch ${latest} already`
  throw new InvalidArgumentError('leaderEpoch', leaderEpoch, rule)
}

/** The checkpoint's log start offset as far as it can be believed; what cannot be is corrected. */
async function readLogStart(context: LogContext, rebuiltFiles: string[]): Promise<Offset> {
  const { fs, directory, checkpoints, name } = context
  const claimed = checkpoints.logStartOffset ?? 0
  // No log starts lower: there is nothing that has to be proven.
  if (claimed === 0) return 0
  const proven = provenLogStart(fs, directory, claimed)
  if (proven === claimed) return proven
  const path = checkpoints.logStartPath
  const error = `the log start offset is ${claimed}, but the first leader epoch starts at ${proven}`
  logChannels.corruption.publish({ log: name, path, error })
  await checkpoints.saveLogStartOffset(proven)
  rebuiltFiles.push(path)
  return proven
}

/** What is in the directory once interrupted replacements are finished. */
async function listFinished({
  fs,
  directory,
}: LogContext): Promise<{ readonly listing: LogListing; readonly finishedFiles: string[] }> {
  const listing = LogListing.read(fs, directory)
  const finishedFiles = listing.hasSuffixes ? [...(await finishSwap(fs, directory))] : []
  if (finishedFiles.length === 0) return { listing, finishedFiles }
  return { listing: LogListing.read(fs, directory), finishedFiles }
}

function readKnown(
  { fs, directory, checkpoints }: LogContext,
  listing: LogListing,
  listed: readonly ListedSegment[],
  logStart: Offset,
): Known {
  const progressBytes = listing.hasOther(progressFileName)
    ? readFileStart(fs, `${directory}/${progressFileName}`, progressFileBytes)
    : null
  const progress = progressBytes === null ? null : ProgressFile.read(progressBytes)
  const firstBaseOffset = listed[0]?.baseOffset ?? 0
  const logStartOffset = Math.max(logStart, firstBaseOffset)
  const flushedOffset = Math.max(checkpoints.recoveryPoint ?? 0, progress?.recoveryPoint ?? 0)
  const recoveryPoint = Math.max(flushedOffset, logStartOffset)
  return { flushedOffset, recoveryPoint, logStartOffset, isGapless: progress !== null }
}

/** Derived files whose log is gone: a crash came between the removal of the one and the others. */
async function removeOrphans(
  { fs, directory }: LogContext,
  listing: LogListing,
  finished: string[],
): Promise<void> {
  for (const name of listing.orphans()) {
    await fs.remove(`${directory}/${name}`)
    finished.push(name)
  }
}

interface LoadSegmentsOptions {
  readonly listing: LogListing
  readonly listed: readonly ListedSegment[]
  readonly known: Known
  readonly isClean: boolean
  readonly epochs: LeaderEpochCache
  readonly rebuiltFiles: string[]
}

async function loadSegments(
  context: LogContext,
  options: LoadSegmentsOptions,
): Promise<LoadedSegments> {
  const { listed, known, isClean, epochs, rebuiltFiles } = options
  const { snapshotOffsets } = options.listing
  const last = listed.at(-1)
  if (last === undefined) return createFirstSegment(context, known, snapshotOffsets)
  const restored = isClean ? restoreActiveSegment(context, last) : null
  if (restored !== null) {
    const isEmpty = listed.every(({ sizeBytes }) => sizeBytes === 0)
    refuseShortLog(restored, isEmpty ? known.flushedOffset : known.recoveryPoint)
    const producers = await loadProducers(context, {
      ...{ snapshotOffsets, segments: listed, offset: restored.nextOffset, rebuiltFiles },
    })
    const sealed = sealedSegments(context, listed, restored.baseOffset)
    return { ...unscanned, sealed, active: restored, producers, isRestored: true }
  }
  // After a clean shutdown by somebody else only the active segment has to be read.
  const recoveryPoint = isClean
    ? Math.max(known.recoveryPoint, last.baseOffset)
    : known.recoveryPoint
  const first = await firstToRecover(context, listed, recoveryPoint, known.logStartOffset)
  const toRecover = listed.slice(first)
  const firstBaseOffset = toRecover[0]?.baseOffset ?? 0
  const producers = await loadProducers(context, {
    ...{ snapshotOffsets, segments: listed, offset: firstBaseOffset, rebuiltFiles },
  })
  const { segments, scannedBytes, cut } = await recoverSegments(context, {
    name: context.name,
    segments: toRecover,
    recoveryPoint,
    isGapless: known.isGapless,
    producers,
    epochs,
  })
  const active = segments.at(-1)
  assert(active !== undefined, 'recovery leaves at least one segment')
  await context.fs.syncDirectory(context.directory)
  const sealed = [
    ...sealedSegments(context, listed.slice(0, first + 1), firstBaseOffset),
    ...segments
      .slice(0, -1)
      .map((segment) => new SealedSegment(context.files, context.directory, segment.info())),
  ]
  const scannedSegments = segments.length
  return { sealed, active, producers, scannedSegments, scannedBytes, cut, isRestored: false }
}

/**
 * The segment in which the recovery point lies; or the one before, when the recovery point is its
 * end and the crash came before its indexes were durable.
 */
async function firstToRecover(
  context: LogContext,
  listed: readonly ListedSegment[],
  recoveryPoint: Offset,
  logStartOffset: Offset,
): Promise<number> {
  const first = Math.max(
    0,
    listed.findLastIndex(({ baseOffset }) => baseOffset <= recoveryPoint),
  )
  const before = listed[first - 1]
  const isBoundary = listed[first]?.baseOffset === recoveryPoint
  // What lies before the log start offset is about to go, and more before it may have gone.
  if (before === undefined || !isBoundary || recoveryPoint <= logStartOffset) return first
  if (!isSealed(context, before)) return first - 1
  await makeDigestDurable(context, before)
  return first
}

/** A log without any segment: a new one, or one whose segments were all deleted. */
async function createFirstSegment(
  context: LogContext,
  known: Known,
  snapshotOffsets: readonly Offset[],
): Promise<LoadedSegments> {
  const { logStartOffset, recoveryPoint } = known
  if (recoveryPoint > logStartOffset) {
    throw new CorruptLogError({
      path: context.directory,
      position: 0,
      firstOffset: logStartOffset,
      lastOffset: recoveryPoint - 1,
      reason: 'the log has no segment',
    })
  }
  const active = new ActiveSegment(context.directory, logStartOffset, context.options, {
    createdMs: context.clock.now(),
    jitter: context.random(),
  })
  createSegmentFile(context.fs, active, context.options)
  await context.fs.syncDirectory(context.directory)
  const producers = await loadProducers(context, {
    ...{ snapshotOffsets, segments: [], offset: logStartOffset, rebuiltFiles: [] },
  })
  return { ...unscanned, sealed: [], active, producers, isRestored: false }
}

/** The segments before the one at `activeBaseOffset`, unread. */
function sealedSegments(
  context: LogContext,
  listed: readonly ListedSegment[],
  activeBaseOffset: Offset,
): readonly SealedSegment[] {
  const sealed: SealedSegment[] = []
  for (const [index, segment] of listed.entries()) {
    if (segment.baseOffset >= activeBaseOffset) break
    const { baseOffset, sizeBytes } = segment
    const nextOffset = listed[index + 1]?.baseOffset ?? activeBaseOffset
    const info = { baseOffset, nextOffset, sizeBytes, maxTimestamp: null }
    sealed.push(new SealedSegment(context.files, context.directory, info))
  }
  return sealed
}

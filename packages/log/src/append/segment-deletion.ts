import { InvalidArgumentError, type Offset } from '@varve/record'
import { logChannels } from '../base/diagnostics.ts'
import { OffsetOutOfRangeError } from '../base/log-errors.ts'
import type { DeletionReason, SegmentInfo } from '../base/segment-info.ts'
import { pollTurn } from '../base/turns.ts'
import type { SealedSegment } from '../segments/sealed-segment.ts'
import { segmentFileKinds, segmentPath } from '../segments/segment-files.ts'
import { producerSnapshotFileName } from '../storage/file-names.ts'
import { inOurWords, StorageError } from '../storage/storage-error.ts'
import type { LogState } from './log-state.ts'
import type { LogWriter } from './log-writer.ts'

/**
 * Raises the log start offset and deletes the segments wholly before it. Runs in the writer's loop.
 * The new start is durable before the first file goes, so that a crash in between never brings
 * deleted records back:
 *
 *   crash                              what opening finds
 *   before the start is durable        nothing has happened
 *   after it                           segments before the start, which are then deleted
 */
export async function deleteSegmentsBefore(
  state: LogState,
  writer: LogWriter,
  offset: Offset,
  reason: DeletionReason,
): Promise<readonly SegmentInfo[]> {
  const { offsets, segments, name } = state
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new InvalidArgumentError('offset', offset, 'an offset is a non-negative integer')
  }
  if (offset > offsets.highWatermark) {
    throw new OffsetOutOfRangeError(name, offset, offsets.logStartOffset, offsets.highWatermark)
  }
  if (offset === offsets.logEndOffset && segments.active.sizeBytes > 0) {
    await writer.rollNow('request')
  }
  // The new segment must be there, durably, before the ones before it go.
  await writer.flushNow()
  await writer.sealed()
  if (offset > offsets.logStartOffset) {
    // The first epoch is the witness of the start: it never lags behind what the checkpoint says.
    if (state.epochs.truncateFromStart(offset)) await state.saveEpochs()
    await state.checkpoints.saveLogStartOffset(offset)
    offsets.started(offset)
  }
  const removed = segments.removeBefore(offsets.logStartOffset)
  for (const segment of removed) {
    state.points.drop(segment.identity)
    state.pins.whenFree(segment.path, () => removeFiles(state, segment))
    // They may be thousands, and a rename takes long while the disk flushes.
    await pollTurn()
  }
  const infos = removed.map((segment) => segment.info())
  state.saveProgress()
  const { logStartOffset } = offsets
  logChannels.delete.publish({ log: name, segments: infos, logStartOffset, reason })
  return infos
}

function removeFiles(state: LogState, segment: SealedSegment): void {
  const { baseOffset } = segment
  const paths = segmentFileKinds.map((kind) => segmentPath(state.directory, baseOffset, kind))
  // The log goes first: an index without a log is removed at opening, a log without one rebuilt.
  const snapshot = `${state.directory}/${producerSnapshotFileName(baseOffset)}`
  try {
    state.removals.schedule(state.removals.markDeleted([...paths, snapshot]))
  } catch (error) {
    // What lies before the log start offset is nobody's any more: the next opening removes it.
    if (!(inOurWords('removing a segment', error) instanceof StorageError)) throw error
  }
}

import { InvalidArgumentError } from '@varve/record'
import { logChannels } from '../base/diagnostics.ts'
import { SegmentPinnedError } from '../base/log-errors.ts'
import type { SegmentInfo } from '../base/segment-info.ts'
import { pollTurn } from '../base/turns.ts'
import type { CleanedSegment } from '../segments/cleaned-segment-writer.ts'
import { SealedSegment } from '../segments/sealed-segment.ts'
import { segmentFileKinds, segmentPath } from '../segments/segment-files.ts'
import { renameSegmentFiles } from '../segments/segment-swap.ts'
import { cleanedSuffix, deletedSuffix, swapSuffix } from '../storage/file-names.ts'
import type { LogState } from './log-state.ts'
import type { LogWriter } from './log-writer.ts'

/**
 * Puts cleaned segments in the place of sealed ones, by the steps that segment-swap.ts numbers.
 * Runs in the writer's loop. A reader that stands in a replaced segment reads on in the renamed
 * file, and finds its place anew with the next batch that it asks for.
 */
export async function replaceSegments(
  state: LogState,
  writer: LogWriter,
  cleaned: readonly CleanedSegment[],
  replaced: readonly SegmentInfo[],
): Promise<void> {
  const { fs, directory, files, segments } = state
  // A segment that is still being sealed would write its indexes over those of the new one.
  await writer.flushNow()
  await writer.sealed()
  const old = findReplaced(state, replaced)
  checkCleaned(state, cleaned, old)
  for (const { path } of old) if (state.pins.isPinned(path)) throw new SegmentPinnedError(path)

  await state.settleRecoveryPoint()
  for (const { info } of cleaned.toReversed()) {
    // The first one completes the step, so the others must be there, durably, before it.
    if (info === cleaned[0]?.info && cleaned.length > 1) await fs.syncDirectory(directory)
    renameSegmentFiles(fs, directory, info.baseOffset, cleanedSuffix, swapSuffix)
  }
  await fs.syncDirectory(directory)

  const before = old.map((segment) => segment.info())
  const gone: string[] = []
  for (const segment of old) {
    const paths = segmentFileKinds.map((kind) => segmentPath(directory, segment.baseOffset, kind))
    gone.push(...state.removals.markDeleted(paths))
    segment.movedTo(`${segment.path}${deletedSuffix}`)
    // A rename can take milliseconds while the disk flushes, and these may be a hundred: the other
    // logs' appends, and this one's readers, have their turn in between.
    await pollTurn()
  }
  await fs.syncDirectory(directory)

  for (const { info } of cleaned) {
    renameSegmentFiles(fs, directory, info.baseOffset, swapSuffix, '')
  }
  const added = cleaned.map(({ info }) => new SealedSegment(files, directory, info))
  segments.replace(old, added)
  for (const { identity } of old) state.points.drop(identity)
  const oldBaseOffsets = old.map(({ baseOffset }) => baseOffset)
  state.replaced(oldBaseOffsets, old.at(-1)?.nextOffset ?? 0)
  await fs.syncDirectory(directory)

  state.removals.schedule(gone)
  // Who follows the log from another process looks again.
  state.saveProgress()
  const addedInfos = added.map((segment) => segment.info())
  logChannels.replace.publish({ log: state.name, replaced: before, added: addedInfos })
}

/** The sealed segments that are meant: all there, as they were described, and neighbours. */
function findReplaced(state: LogState, replaced: readonly SegmentInfo[]): readonly SealedSegment[] {
  const { sealed } = state.segments
  const rule = 'must be neighbouring sealed segments of this log, as segments() lists them'
  // A mistake of the caller's must not look like one of the storage's, and end the log.
  if (!isListOfObjects(replaced)) throw new InvalidArgumentError('replaced', replaced, rule)
  const start = sealed.findIndex(({ baseOffset }) => baseOffset === replaced[0]?.baseOffset)
  const old = start < 0 ? [] : sealed.slice(start, start + replaced.length)
  const areThere = replaced.every(
    (info, index) =>
      old[index]?.baseOffset === info.baseOffset && old[index]?.sizeBytes === info.sizeBytes,
  )
  if (replaced.length > 0 && old.length === replaced.length && areThere) return old
  throw new InvalidArgumentError('replaced', replaced, rule)
}

/**
 * The cleaned segments cover, one after the other, exactly what the replaced ones covered, and
 * their files are there.
 */
function checkCleaned(
  state: LogState,
  cleaned: readonly CleanedSegment[],
  old: readonly SealedSegment[],
): void {
  const rule = 'must be finished segments of this log that cover all of what they replace'
  if (!isListOfObjects(cleaned) || !isListOfObjects(cleaned.map(({ info }) => info))) {
    throw new InvalidArgumentError('cleaned', cleaned, rule)
  }
  let expected = old[0]?.baseOffset ?? 0
  for (const { directory, info } of cleaned) {
    const path = `${segmentPath(directory, info.baseOffset, 'log')}${cleanedSuffix}`
    const isThere = directory === state.directory && state.fs.stat(path) !== null
    if (info.baseOffset !== expected || !isThere) {
      throw new InvalidArgumentError('cleaned', cleaned, rule)
    }
    expected = info.nextOffset
  }
  if (expected !== old.at(-1)?.nextOffset) throw new InvalidArgumentError('cleaned', cleaned, rule)
}

function isListOfObjects(list: unknown): boolean {
  return Array.isArray(list) && list.every((item) => typeof item === 'object' && item !== null)
}

import type { Offset } from '@varve/record'
import { logChannels } from '../base/diagnostics.ts'
import type { LogContext } from '../base/log-context.ts'
import {
  CorruptProducerSnapshotError,
  decodeProducerSnapshot,
} from '../format/producer-snapshot.ts'
import { type ListedSegment, listSegmentFiles } from '../format/segment-listing.ts'
import { producerSnapshotFileName } from '../storage/file-names.ts'
import { readFileStart } from '../storage/file-system.ts'
import { replayProducers } from './producer-replay.ts'
import { ProducerStateManager } from './producer-state.ts'

/** A snapshot holds 46 bytes a producer; this is more than a million. */
export const snapshotBytesMax: number = 64 * 2 ** 20

/**
 * The producer state as of `offset`: the newest usable snapshot at or below it, and the batches of
 * `segments` from there. A snapshot that cannot be read is removed and the next older one tried.
 */
export async function loadProducers(
  context: LogContext,
  segments: readonly ListedSegment[],
  offset: Offset,
  rebuilt: string[],
): Promise<ProducerStateManager> {
  const producers = new ProducerStateManager()
  const { start, unusable } = loadNewestSnapshot(context, producers, offset)
  for (const path of unusable) {
    await context.fs.remove(path)
    rebuilt.push(path)
  }
  for (const [index, segment] of segments.entries()) {
    const end = segments[index + 1]?.baseOffset ?? offset
    if (segment.baseOffset >= offset || end <= start) continue
    const place = { log: context.name, path: segment.path }
    await replayProducers(context.fs, producers, place, { from: start, to: offset })
  }
  return producers
}

/**
 * Loads the newest usable snapshot at or below `offset`. Returns the offset up to which it speaks,
 * 0 without one, and the paths of newer ones that cannot be used. Changes nothing on disk.
 */
export function loadNewestSnapshot(
  context: Pick<LogContext, 'fs' | 'directory' | 'name'>,
  producers: ProducerStateManager,
  offset: Offset,
): { readonly start: Offset; readonly unusable: readonly string[] } {
  const { fs, directory, name } = context
  const unusable: string[] = []
  const offsets = snapshotOffsets(context).filter((candidate) => candidate <= offset)
  for (const candidate of offsets.reverse()) {
    const path = `${directory}/${producerSnapshotFileName(candidate)}`
    // One byte more than is believed: a longer file does not have the size that its count asks for.
    const bytes = readFileStart(fs, path, snapshotBytesMax + 1)
    if (bytes === null) continue
    try {
      producers.load(decodeProducerSnapshot(bytes, path), candidate)
      return { start: candidate, unusable }
    } catch (error) {
      if (!(error instanceof CorruptProducerSnapshotError)) throw error
      logChannels.corruption.publish({ log: name, path, error })
      unusable.push(path)
    }
  }
  return { start: 0, unusable }
}

/** The offsets of the snapshots in a directory, ascending. */
export function snapshotOffsets(context: Pick<LogContext, 'fs' | 'directory'>): Offset[] {
  return listSegmentFiles(context.fs, context.directory)
    .filter(({ kind, suffix }) => kind === 'snapshot' && suffix === '')
    .map(({ baseOffset }) => baseOffset)
}

/**
 * Removes snapshots that nobody will ask for: Kafka keeps those at a segment's base offset and the
 * newest one. A snapshot beyond the log's end is from before a cut and wrong.
 */
export async function removeStraySnapshots(
  context: LogContext,
  baseOffsets: ReadonlySet<Offset>,
  logEndOffset: Offset,
): Promise<void> {
  const offsets = snapshotOffsets(context)
  const newest = Math.max(...offsets.filter((offset) => offset <= logEndOffset))
  for (const offset of offsets) {
    const isKept = offset <= logEndOffset && (offset === newest || baseOffsets.has(offset))
    if (!isKept) await context.fs.remove(`${context.directory}/${producerSnapshotFileName(offset)}`)
  }
}

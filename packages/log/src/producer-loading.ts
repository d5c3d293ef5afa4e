import type { Offset } from '@varve/record'
import { logChannels } from './diagnostics.ts'
import { producerSnapshotFileName } from './file-names.ts'
import { readSmallFile } from './file-system.ts'
import type { LogContext } from './log-context.ts'
import { CorruptProducerSnapshotError, decodeProducerSnapshot } from './producer-snapshot.ts'
import { ProducerStateManager } from './producer-state.ts'
import { type ListedSegment, listSegmentFiles } from './segment-listing.ts'
import { replayProducers } from './segment-recovery.ts'

/** A snapshot holds 46 bytes a producer; this is more than a million. */
const snapshotBytesMax = 64 * 2 ** 20

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
  const start = await loadNewestSnapshot(context, producers, offset, rebuilt)
  for (const [index, segment] of segments.entries()) {
    const end = segments[index + 1]?.baseOffset ?? offset
    if (segment.baseOffset >= offset || end <= start) continue
    await replayProducers(context.fs, segment.path, producers, { from: start, to: offset })
  }
  return producers
}

/** Loads the newest usable snapshot and returns the offset up to which it speaks; 0 without one. */
async function loadNewestSnapshot(
  context: LogContext,
  producers: ProducerStateManager,
  offset: Offset,
  rebuilt: string[],
): Promise<Offset> {
  const { fs, directory, name } = context
  const offsets = snapshotOffsets(context).filter((candidate) => candidate <= offset)
  for (const candidate of offsets.reverse()) {
    const path = `${directory}/${producerSnapshotFileName(candidate)}`
    const bytes = readSmallFile(fs, path, snapshotBytesMax)
    if (bytes === null) continue
    try {
      producers.load(decodeProducerSnapshot(bytes, path), candidate)
      return candidate
    } catch (error) {
      if (!(error instanceof CorruptProducerSnapshotError)) throw error
      logChannels.corruption.publish({ log: name, path, error })
      await fs.remove(path)
      rebuilt.push(path)
    }
  }
  return 0
}

/** The offsets of the snapshots in a directory, ascending. */
export function snapshotOffsets(context: LogContext): Offset[] {
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

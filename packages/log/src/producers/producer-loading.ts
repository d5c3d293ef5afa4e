import type { Offset } from '@varve/record'
import { logChannels } from '../base/diagnostics.ts'
import type { LogContext } from '../base/log-context.ts'
import {
  CorruptProducerSnapshotError,
  decodeProducerSnapshot,
} from '../format/producer-snapshot.ts'
import { type ListedSegment, LogListing } from '../format/segment-listing.ts'
import { producerSnapshotFileName } from '../storage/file-names.ts'
import { readFileStart } from '../storage/file-system.ts'
import { replayProducers } from './producer-replay.ts'
import { ProducerStateManager } from './producer-state.ts'

/** A snapshot holds 46 bytes a producer; this is more than a million. */
export const snapshotBytesMax: number = 64 * 2 ** 20

/** From what the producer state of a log is made. */
export interface ProducerSources {
  /** Of the snapshots in the log's directory, ascending. */
  readonly snapshotOffsets: readonly Offset[]
  readonly segments: readonly ListedSegment[]
  /** The state is asked for as it was before the batch at this offset. */
  readonly offset: Offset
  /** Told of snapshots that could not be read. */
  readonly rebuiltFiles: string[]
}

/**
 * The producer state as of an offset: the newest usable snapshot at or below it, and the batches of
 * the segments from there. A snapshot that cannot be read is removed and the next older one tried.
 */
export async function loadProducers(
  context: LogContext,
  { snapshotOffsets: listed, segments, offset, rebuiltFiles }: ProducerSources,
): Promise<ProducerStateManager> {
  const producers = new ProducerStateManager()
  const { start, unusable } = loadNewestSnapshot(context, producers, offset, listed)
  for (const path of unusable) {
    await context.fs.remove(path)
    rebuiltFiles.push(path)
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
  listed: readonly Offset[] = snapshotOffsets(context),
): { readonly start: Offset; readonly unusable: readonly string[] } {
  const { fs, directory, name } = context
  const unusable: string[] = []
  for (const candidate of listed.toReversed()) {
    if (candidate > offset) continue
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
export function snapshotOffsets(context: Pick<LogContext, 'fs' | 'directory'>): readonly Offset[] {
  return LogListing.read(context.fs, context.directory).snapshotOffsets
}

/**
 * Removes snapshots that nobody will ask for: Kafka keeps those at a segment's base offset and the
 * newest one. A snapshot beyond the log's end is from before a cut and wrong.
 */
export async function removeStraySnapshots(
  { fs, directory }: LogContext,
  offsets: readonly Offset[],
  isBaseOffset: (offset: Offset) => boolean,
  logEndOffset: Offset,
): Promise<void> {
  const newest = offsets.findLast((offset) => offset <= logEndOffset)
  for (const offset of offsets) {
    const isKept = offset <= logEndOffset && (offset === newest || isBaseOffset(offset))
    if (!isKept) await fs.remove(`${directory}/${producerSnapshotFileName(offset)}`)
  }
}

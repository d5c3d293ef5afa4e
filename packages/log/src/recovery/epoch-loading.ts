import type { Offset } from '@varve/record'
import { logChannels } from '../base/diagnostics.ts'
import type { LogContext } from '../base/log-context.ts'
import { CorruptCheckpointError } from '../format/checkpoint-text.ts'
import { LeaderEpochCache } from '../format/leader-epoch-cache.ts'
import { epochsBytesMax } from '../format/log-start.ts'
import type { ListedSegment } from '../format/segment-listing.ts'
import { findEpochsBefore, findEpochsIn } from '../segments/leader-epoch-search.ts'
import { leaderEpochCheckpointFileName } from '../storage/file-names.ts'
import { readFileStart } from '../storage/file-system.ts'

export interface LoadedEpochs {
  readonly epochs: LeaderEpochCache
  /** What the checkpoint should hold for them; null where it must be written. */
  readonly saved: Buffer | null
}

/** The leader epochs of a log, from its checkpoint, or from its batches where that was lost. */
export async function loadEpochs(
  context: LogContext,
  listed: readonly ListedSegment[],
  logStartOffset: Offset,
  rebuiltFiles: string[],
): Promise<LoadedEpochs> {
  const { fs, directory, name } = context
  const path = `${directory}/${leaderEpochCheckpointFileName}`
  // One byte more than is believed: a checkpoint that is cut off is not read.
  const bytes = readFileStart(fs, path, epochsBytesMax + 1)
  if (bytes === null && listed.every(({ sizeBytes }) => sizeBytes === 0)) {
    const epochs = new LeaderEpochCache()
    return { epochs, saved: epochs.encode() }
  }
  // Beside records, one that is not there or empty was lost.
  try {
    const epochs = LeaderEpochCache.decode(bytes ?? Buffer.alloc(0), path)
    if (bytes !== null && bytes.length > 0) {
      const saved = epochs.encode()
      return { epochs: await completed(context, listed, logStartOffset, epochs), saved }
    }
  } catch (error) {
    if (!(error instanceof CorruptCheckpointError)) throw error
    logChannels.corruption.publish({ log: name, path, error })
  }
  rebuiltFiles.push(path)
  return { epochs: await findEpochsIn(fs, listed), saved: null }
}

/**
 * Kafka's DeleteRecords drops epochs at once and checkpoints the log start later: a broker that
 * dies in between leaves batches before the first epoch for good. Here they get theirs again, read
 * once from the batches, so that the first epoch of a log tells where the log begins.
 */
async function completed(
  { fs }: LogContext,
  listed: readonly ListedSegment[],
  logStartOffset: Offset,
  known: LeaderEpochCache,
): Promise<LeaderEpochCache> {
  const to = known.entries()[0]?.startOffset ?? 0
  if (to <= logStartOffset) return known
  const dropped = await findEpochsBefore(fs, listed, { from: logStartOffset, to })
  return dropped.length === 0 ? known : new LeaderEpochCache([...dropped, ...known.entries()])
}

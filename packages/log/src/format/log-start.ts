import type { Offset } from '@varve/record'
import { leaderEpochCheckpointFileName } from '../storage/file-names.ts'
import { type FileSystem, readFileStart } from '../storage/file-system.ts'
import { CorruptCheckpointError } from './checkpoint-text.ts'
import { LeaderEpochCache } from './leader-epoch-cache.ts'

/** A leader-epoch checkpoint has some twenty bytes an epoch. */
export const epochsBytesMax: number = 16 * 2 ** 20

/**
 * Where a log begins of which a checkpoint says that it begins at `claimed`.
 *
 * That checkpoint has no checksum, and what lies before a log's start is hidden and then deleted: a
 * digit that was altered must not do that. Raising the start raises the first leader epoch too, and
 * first, here as in Kafka. So where the first epoch starts lower, the checkpoint is wrong, or a
 * power cut has kept only one of the two: the lower one counts, as all checkpoints are lower
 * bounds. Kafka believes the higher one. A log without epochs (of the old formats) has no such
 * witness, and its checkpoint is believed.
 */
export function provenLogStart(fs: FileSystem, directory: string, claimed: Offset): Offset {
  const path = `${directory}/${leaderEpochCheckpointFileName}`
  const bytes = readFileStart(fs, path, epochsBytesMax + 1)
  if (bytes === null) return claimed
  try {
    const first = LeaderEpochCache.decode(bytes, path).entries()[0]?.startOffset ?? claimed
    return Math.min(claimed, first)
  } catch (error) {
    // Opening tells of it, and makes it anew.
    if (error instanceof CorruptCheckpointError) return claimed
    throw error
  }
}

import type { Batch } from '@varve/record'
import { type EpochEntry, LeaderEpochCache } from '../format/leader-epoch-cache.ts'
import type { ListedSegment } from '../format/segment-listing.ts'
import { scanBatches } from '../format/segment-scan.ts'
import type { FileSystem } from '../storage/file-system.ts'

/**
 * The leader epochs as the batches of a whole log have them. Epochs never fall: one that is
 * followed by a lower one was not the log's, and is left out.
 */
export async function findEpochsIn(
  fs: FileSystem,
  segments: readonly ListedSegment[],
): Promise<LeaderEpochCache> {
  const found: EpochEntry[] = []
  const visit = (batch: Batch): boolean => {
    const { leaderEpoch } = batch
    if (leaderEpoch < 0) return true
    while ((found.at(-1)?.epoch ?? -1) > leaderEpoch) found.pop()
    if (found.at(-1)?.epoch === leaderEpoch) return true
    found.push({ epoch: leaderEpoch, startOffset: batch.baseOffset })
    return true
  }
  for (const { path } of segments) {
    const file = fs.open(path, 'read')
    try {
      await scanBatches(file, visit, { validate: false })
    } finally {
      file.close()
    }
  }
  return new LeaderEpochCache(found)
}

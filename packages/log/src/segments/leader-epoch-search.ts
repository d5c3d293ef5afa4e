import type { Batch, Offset } from '@varve/record'
import { type EpochEntry, hasOwnEpoch, LeaderEpochCache } from '../format/leader-epoch-cache.ts'
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
  await visitBatches(fs, segments, ({ leaderEpoch, baseOffset }) => {
    if (leaderEpoch >= 0) noteEpoch(found, leaderEpoch, baseOffset)
    return true
  })
  return new LeaderEpochCache(found)
}

/** The epochs of the batches from an offset on, up to where the first known epoch starts. */
export async function findEpochsBefore(
  fs: FileSystem,
  segments: readonly ListedSegment[],
  { from, to }: { readonly from: Offset; readonly to: Offset },
): Promise<readonly EpochEntry[]> {
  const found: EpochEntry[] = []
  const start = segments.findLastIndex(({ baseOffset }) => baseOffset <= from)
  await visitBatches(fs, segments.slice(Math.max(0, start)), (batch) => {
    if (batch.baseOffset >= to) return false
    if (batch.nextOffset <= from) return true
    // The old formats have no epochs, and nothing but their own end tells where they end.
    if (batch.leaderEpoch < 0) return false
    if (hasOwnEpoch(batch)) noteEpoch(found, batch.leaderEpoch, Math.max(batch.baseOffset, from))
    return true
  })
  return found
}

/** Takes in the epoch of the next batch of a log. */
export function noteEpoch(found: EpochEntry[], epoch: number, startOffset: Offset): void {
  while ((found.at(-1)?.epoch ?? -1) > epoch) found.pop()
  if (found.at(-1)?.epoch !== epoch) found.push({ epoch, startOffset })
}

/** Shows the batches of some segments, in order, until `visit` returns false. */
async function visitBatches(
  fs: FileSystem,
  segments: readonly ListedSegment[],
  visit: (batch: Batch) => boolean,
): Promise<void> {
  for (const { path } of segments) {
    const file = fs.open(path, 'read')
    try {
      const { stop } = await scanBatches(file, visit, { validate: false })
      if (stop === 'visitor') return
    } finally {
      file.close()
    }
  }
}

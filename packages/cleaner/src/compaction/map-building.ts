import type { FileSystem } from '@varve/log'
import type { IoThrottle } from '@varve/log/pacing'
import type { Batch, Offset } from '@varve/record'
import type { CompactionTask } from './compaction-task.ts'
import { OffsetMap } from './offset-map.ts'
import { segmentBatches } from './segment-batches.ts'
import type { TransactionFates } from './transaction-fates.ts'

export interface DirtyMap {
  readonly map: OffsetMap
  /** The map knows of everything up to here; what follows waits for the next round. */
  readonly latestOffset: Offset
  readonly readBytes: number
}

/**
 * The newest offset of every key in the dirty part of a log, as far as the map holds (Kafka's
 * Cleaner.buildOffsetMap). Records of aborted transactions, markers and records without a key are
 * left out. A full map ends the round before the first key that it has no room for.
 */
export async function mapDirtyKeys(
  fs: FileSystem,
  task: CompactionTask,
  fates: TransactionFates,
  throttle: IoThrottle,
  onRead: (bytes: number) => void,
): Promise<DirtyMap> {
  const { firstDirtyOffset, mapBytes, seed } = task
  const dirty = task.segments.filter(({ nextOffset }) => nextOffset > firstDirtyOffset)
  const endOffset = dirty.at(-1)?.nextOffset ?? firstDirtyOffset
  const map = new OffsetMap({
    memoryBytes: mapBytes,
    firstOffset: firstDirtyOffset,
    keysMax: endOffset - firstDirtyOffset,
    seed,
  })
  let readBytes = 0
  for (const segment of dirty) {
    for await (const batches of segmentBatches(fs, segment, throttle)) {
      for (const batch of batches) {
        readBytes += batch.sizeBytes
        if (batch.lastOffset < firstDirtyOffset || batch.isControl) continue
        if (fates.isAborted(batch)) continue
        const full = putKeys(map, batch, firstDirtyOffset)
        if (full !== null) return { map, latestOffset: full - 1, readBytes }
      }
      onRead(readBytes)
    }
  }
  return { map, latestOffset: endOffset - 1, readBytes }
}

/** The offset of the first record for which there is no room; null when all keys are in the map. */
function putKeys(map: OffsetMap, batch: Batch, firstDirtyOffset: Offset): Offset | null {
  for (const record of batch.records({ reuseRecord: true })) {
    const { bytes, keyAt, keySize, offset } = record
    if (keySize < 0 || offset < firstDirtyOffset) continue
    if (!map.put(bytes, offset, keyAt, keyAt + keySize)) return offset
  }
  return null
}

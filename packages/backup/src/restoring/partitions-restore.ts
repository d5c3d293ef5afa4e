import {
  type PartitionRestoreContext,
  type RestoredPartition,
  restorePartition,
} from './partition-restore.ts'
import { ReadSlots } from './read-ahead.ts'
import { allDone } from './whole-files.ts'

/**
 * Brings partitions into the staging directory, several at a time; the objects of each are read
 * ahead, `slots` of them in all. Nothing new is begun after a failure.
 */
export async function restorePartitions(
  context: Omit<PartitionRestoreContext, 'slots' | 'isStopped'>,
  partitions: readonly RestoredPartition[],
  { lanes, slots }: { readonly lanes: number; readonly slots: number },
): Promise<void> {
  const waiting = partitions.toReversed()
  let hasFailed = false
  const shared = { ...context, slots: new ReadSlots(slots), isStopped: () => hasFailed }
  const lane = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined && !hasFailed; next = waiting.pop()) {
      try {
        context.signal?.throwIfAborted()
        await restorePartition(shared, next)
      } catch (error) {
        hasFailed = true
        throw error
      }
    }
  }
  await allDone(Array.from({ length: lanes }, lane))
}

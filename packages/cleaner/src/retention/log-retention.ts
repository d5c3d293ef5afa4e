import type { FileSystem, Log } from '@varve/log'
import type { Timestamp } from '@varve/record'
import type { ResolvedCleaningPolicy } from '../policy/cleaning-policy.ts'
import type { RetentionHold } from './retention-hold.ts'
import { type RetentionPlan, selectForDeletion } from './retention-selection.ts'

/** What of a log is to be deleted now. Changes nothing. */
export function planLogRetention(
  log: Log,
  fs: FileSystem,
  settings: {
    readonly policy: ResolvedCleaningPolicy
    readonly nowMs: Timestamp
    readonly holds: readonly RetentionHold[]
  },
): RetentionPlan {
  const segments = log.segments().map((segment) => {
    if (segment.maxTimestamp >= 0) return segment
    const modifiedMs = fs.stat(segment.path)?.modifiedMs
    return modifiedMs === undefined ? segment : { ...segment, modifiedMs }
  })
  const { logStartOffset, highWatermark, logEndOffset } = log
  return selectForDeletion({ segments, logStartOffset, highWatermark, logEndOffset, ...settings })
}

/** Deletes what a plan says, each part with its reason. Rejects as `Log.deleteSegmentsBefore`. */
export async function deleteByPlan(log: Log, plan: RetentionPlan): Promise<void> {
  for (const { before, reason } of plan.deletions) {
    // What is not visible any more to anybody goes; the log start offset is where it was.
    const offset = reason === 'logStartOffset' ? log.logStartOffset : before
    await log.deleteSegmentsBefore(offset, reason)
  }
}

import type { FileSystem, Log, SegmentInfo } from '@varve/log'
import type { Timestamp } from '@varve/record'
import type { ResolvedCleaningPolicy } from '../policy/cleaning-policy.ts'
import type { RetentionHold } from './retention-hold.ts'
import {
  type RetentionPlan,
  type RetentionSegment,
  selectForDeletion,
} from './retention-selection.ts'

/** What retention asks of a log. */
export type RetainedLog = Pick<
  Log,
  'logStartOffset' | 'highWatermark' | 'logEndOffset' | 'segmentCount' | 'sizeBytes' | 'segments'
>

export interface LogRetentionSettings {
  readonly policy: ResolvedCleaningPolicy
  readonly nowMs: Timestamp
  readonly holds: readonly RetentionHold[]
  /**
   * Look at no more than about so many segments, when no group holds anything back: the rest can be
   * looked at when these are gone. @defaultValue as many as it takes
   */
  readonly segmentsMax?: number
}

/** Looked at first; four times as many while all of them are to go. */
const firstLook = 64

/**
 * What of a log is to be deleted now. Changes nothing. Looks at the oldest segments, and at more
 * only when all of those are to go: `decisions` are about these.
 */
export function planLogRetention(
  log: RetainedLog,
  fs: FileSystem,
  settings: LogRetentionSettings,
): RetentionPlan {
  const { logStartOffset, highWatermark, logEndOffset, segmentCount, sizeBytes } = log
  const { segmentsMax = segmentCount, holds } = settings
  for (let count = firstLook; ; count *= 4) {
    const segments = log.segments(0, count).map((segment) => withAge(fs, segment))
    const seenBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
    const isAll = count >= segmentCount
    const plan = selectForDeletion({
      segments,
      ...(!isAll && { laterBytes: sizeBytes - seenBytes }),
      logStartOffset,
      highWatermark,
      logEndOffset,
      ...settings,
    })
    const goesOn = plan.decisions.at(-1)
    const isWanted = goesOn?.isDeleted === true || goesOn?.reason === 'heldByGroup'
    if (isAll || !isWanted || (count >= segmentsMax && holds.length === 0)) return plan
  }
}

/** Where no record has a timestamp, the file's age counts. */
function withAge(fs: FileSystem, segment: SegmentInfo): RetentionSegment {
  if (segment.maxTimestamp >= 0) return segment
  const modifiedMs = fs.stat(segment.path)?.modifiedMs
  return modifiedMs === undefined ? segment : { ...segment, modifiedMs }
}

/** Deletes what a plan says, each part with its reason. Rejects as `Log.deleteSegmentsBefore`. */
export async function deleteByPlan(log: Log, plan: RetentionPlan): Promise<void> {
  for (const { before, reason } of plan.deletions) {
    // What is not visible any more to anybody goes; the log start offset is where it was.
    const offset = reason === 'logStartOffset' ? log.logStartOffset : before
    await log.deleteSegmentsBefore(offset, reason)
  }
}

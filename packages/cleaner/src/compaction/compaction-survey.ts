import type { Clock, FileSystem, ReadOnlyLog } from '@varve/log'
import type { Offset } from '@varve/record'
import type { ResolvedCleaningPolicy } from '../policy/cleaning-policy.ts'
import { type CompactionPlan, planCompaction } from './compaction-plan.ts'
import type { CompactionStats } from './compaction-task.ts'
import { inlineExecutor } from './inline-executor.ts'
import { firstTimestampOf } from './log-compaction.ts'

export interface CompactionSurvey {
  readonly plan: CompactionPlan
  /** What a round would read and leave; null when there is nothing to compact. */
  readonly stats: CompactionStats | null
}

export interface CompactionSurveyOptions {
  readonly policy: ResolvedCleaningPolicy
  /** Where the last compaction ended; null when there was none. */
  readonly cleanedOffset: Offset | null
  readonly mapBytes: number
  readonly fs: FileSystem
  readonly clock: Clock
  readonly signal?: AbortSignal
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void
}

/**
 * What compaction of somebody else's log would gain: reads it as compaction would, and changes
 * nothing. About right, no more: what producers need is not known from outside, and a transaction
 * that ends after what can be compacted counts as committed.
 */
export async function surveyCompaction(
  log: ReadOnlyLog,
  options: CompactionSurveyOptions,
): Promise<CompactionSurvey> {
  const { policy, cleanedOffset, mapBytes, fs, clock, signal = null } = options
  const { highWatermark, logStartOffset, logEndOffset } = log
  const read = await log.read({ from: highWatermark, isolation: 'committed' })
  const plan = planCompaction({
    segments: log.segments(),
    logStartOffset,
    logEndOffset,
    lastStableOffset: read.lastStableOffset,
    cleanedOffset,
    nowMs: clock.now(),
    policy,
    firstTimestampOf: (segment) => firstTimestampOf(fs, segment),
  })
  if (plan.segments.length === 0) return { plan, stats: null }
  const task = {
    log: log.name,
    directory: log.directory,
    segments: plan.segments,
    firstDirtyOffset: plan.firstDirtyOffset,
    producers: [],
    abortedLater: [],
    nowMs: clock.now(),
    deleteRetentionMs: policy.deleteRetentionMs,
    recordTtlMs: policy.recordTtlMs,
    // Groups do not matter where nothing is written.
    segmentBytes: 2 ** 31 - 1,
    segmentIndexBytes: 2 ** 31 - 1,
    indexIntervalBytes: 4096,
    mapBytes,
    // Nothing is kept, so nobody gains by keys that collide.
    seed: new Uint8Array(16),
    ioBytesPerSecond: 0,
    restMs: 0,
    isDryRun: true,
  }
  const { stats } = await inlineExecutor(fs, clock).run(task, {
    signal,
    replace: async () => undefined,
    progress: ({ phase, doneBytes, totalBytes }) => {
      if (phase === 'rewriting') options.onProgress?.(doneBytes, totalBytes)
    },
  })
  return { plan, stats }
}

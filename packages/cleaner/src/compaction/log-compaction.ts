import { randomBytes } from 'node:crypto'
import type { Clock, FileSystem, Log, SegmentInfo } from '@varve/log'
import { type Offset, readBatchAt, type Timestamp, VarveError } from '@varve/record'
import type { ResolvedCleaningPolicy } from '../policy/cleaning-policy.ts'
import { type CompactionPlan, planCompaction } from './compaction-plan.ts'
import type {
  CleanedGroup,
  CompactionProgress,
  CompactionTask,
  RoundResult,
} from './compaction-task.ts'

/** Where rounds of compaction run: inline, or in a worker. */
export interface CompactionExecutor {
  run(
    task: CompactionTask,
    callbacks: {
      readonly signal: AbortSignal | null
      replace(group: CleanedGroup): Promise<void>
      progress(progress: CompactionProgress): void
    },
  ): Promise<RoundResult>
}

/** How much a compaction may use. */
export interface CompactionResources {
  /** Memory for the offset map, in bytes: 23.5 are used per key. */
  readonly mapBytes: number
  /** Reads and writes together; 0 no limit. */
  readonly ioBytesPerSecond: number
  /** How long a worker rests after each piece of work beside others, in ms; 0 never. */
  readonly restMs: number
}

export interface LogCompactionContext {
  readonly fs: FileSystem
  readonly clock: Clock
  readonly executor: CompactionExecutor
  readonly resources: CompactionResources
  readonly signal: AbortSignal | null
  progress(progress: CompactionProgress): void
  /** Notes up to where the log is clean now, durably. */
  saveCleanedOffset(offset: Offset): Promise<void>
}

/** What a compaction of a log, of one round or several, has done. */
export interface CompactionOutcome extends RoundResult {
  readonly rounds: number
}

/** What the log says of itself, for the plan. */
export function planLogCompaction(
  log: Log,
  fs: FileSystem,
  settings: {
    readonly policy: ResolvedCleaningPolicy
    readonly nowMs: Timestamp
    readonly cleanedOffset: Offset | null
    readonly lastCompactedMs?: Timestamp | null
  },
): CompactionPlan {
  return planCompaction({
    ...settings,
    segments: log.segments(),
    logStartOffset: log.logStartOffset,
    logEndOffset: log.logEndOffset,
    lastStableOffset: log.lastStableOffset,
    firstTimestampOf: (segment) => firstTimestampOf(fs, segment),
  })
}

/**
 * Compacts the cleanable part of a log: in one round, or in several where the keys do not fit in
 * the map. After each round its end is noted, so that a crash costs one round. The log is read and
 * appended to meanwhile.
 *
 * Rejects with what the round or `Log.replaceSegments` rejects with, and with the signal's reason;
 * the log is as it was then, but for the groups that were replaced already, which hold the same.
 */
export async function compactLog(
  log: Log,
  plan: CompactionPlan,
  policy: ResolvedCleaningPolicy,
  context: LogCompactionContext,
  isDryRun = false,
): Promise<CompactionOutcome> {
  let current = plan
  let total: CompactionOutcome | null = null
  for (;;) {
    const result = await runRound(log, current, policy, context, isDryRun)
    if (!isDryRun) await context.saveCleanedOffset(result.endOffset)
    total = total === null ? { ...result, rounds: 1 } : added(total, result)
    const isDone = result.endOffset >= plan.firstUncleanableOffset
    // A clock that was set back makes records too young again.
    if (isDryRun || isDone || result.endOffset <= current.firstDirtyOffset) return total
    context.signal?.throwIfAborted()
    current = planLogCompaction(log, context.fs, {
      policy,
      nowMs: context.clock.now(),
      cleanedOffset: result.endOffset,
    })
  }
}

async function runRound(
  log: Log,
  plan: CompactionPlan,
  policy: ResolvedCleaningPolicy,
  context: LogCompactionContext,
  isDryRun: boolean,
): Promise<RoundResult> {
  const { clock, executor, signal, resources } = context
  // A producer's newest batch must be durable before the one before it loses its records; and a
  // segment that was sealed a moment ago may not have its transaction index yet.
  if (!isDryRun) await log.settle()
  const { segmentBytes, segmentIndexBytes, indexIntervalBytes } = log.options
  const end = plan.firstUncleanableOffset
  const task: CompactionTask = {
    log: log.name,
    directory: log.directory,
    segments: plan.segments,
    firstDirtyOffset: plan.firstDirtyOffset,
    producers: log.producers().map(({ producerId, epoch, batches }) => ({
      producerId,
      epoch,
      lastDataOffset: batches.at(-1)?.lastOffset ?? null,
    })),
    abortedLater: log.abortedTransactions(end, end),
    nowMs: clock.now(),
    deleteRetentionMs: policy.deleteRetentionMs,
    recordTtlMs: policy.recordTtlMs,
    segmentBytes,
    segmentIndexBytes,
    indexIntervalBytes,
    seed: randomBytes(16),
    isDryRun,
    ...resources,
  }
  try {
    return await executor.run(task, {
      signal,
      replace: ({ cleaned, replaced }) => log.replaceSegments(cleaned, replaced),
      progress: context.progress,
    })
  } catch (error) {
    throw hasLost(log, plan.segments) ? new SegmentsGoneError(log.name, error) : error
  }
}

/** Segments were deleted while they were compacted: nothing is wrong, and it can be tried again. */
export class SegmentsGoneError extends VarveError {
  readonly code = 'VARVE_SEGMENTS_GONE'
  override readonly retriable = true

  constructor(log: string, cause: unknown) {
    super(`segments of log ${log} were deleted while it was compacted`, { cause })
  }
}

/** Whether a segment was deleted since it was planned with. */
function hasLost(log: Log, planned: readonly SegmentInfo[]): boolean {
  const [first] = log.segments()
  return first !== undefined && (planned[0]?.baseOffset ?? 0) < first.baseOffset
}

/** Each round reaches further than the one before: what the last one wrote is what is left. */
function added(total: CompactionOutcome, { endOffset, stats }: RoundResult): CompactionOutcome {
  const before = total.stats
  return {
    endOffset,
    rounds: total.rounds + 1,
    stats: {
      inputBytes: stats.inputBytes + before.inputBytes - before.outputBytes,
      inputRecords: stats.inputRecords + before.inputRecords - before.outputRecords,
      outputBytes: stats.outputBytes,
      outputRecords: stats.outputRecords,
      keylessRecords: before.keylessRecords + stats.keylessRecords,
      readBytes: before.readBytes + stats.readBytes,
      keys: before.keys + stats.keys,
      mapBytes: Math.max(before.mapBytes, stats.mapBytes),
    },
  }
}

/** A batch header of the current format. */
const headerBytes = 61

/** The largest timestamp of a segment's first batch; -1 where it has none. */
export function firstTimestampOf(fs: FileSystem, segment: SegmentInfo): Timestamp {
  const file = fs.open(segment.path, 'read')
  try {
    const header = Buffer.alloc(headerBytes)
    if (file.readSync(header, 0) < headerBytes) return -1
    // Of the batch only its header is here: it is made to say so.
    header.writeInt32BE(headerBytes - 12, 8)
    return readBatchAt(header, 0, headerBytes, 0)?.maxTimestamp ?? -1
  } finally {
    file.close()
  }
}

import type { SegmentInfo } from '@varve/log'
import type { Offset, Timestamp } from '@varve/record'
import type { ResolvedCleaningPolicy } from '../policy/cleaning-policy.ts'

/** All that decides whether a log is to be compacted, and which part of it. */
export interface CompactionInput {
  /** Oldest first, the active one last, as `Log.segments()` gives them. */
  readonly segments: readonly SegmentInfo[]
  readonly logStartOffset: Offset
  readonly logEndOffset: Offset
  /** Transactions at or above it are undecided. */
  readonly lastStableOffset: Offset
  /** Where the last compaction ended; null when there was none. */
  readonly cleanedOffset: Offset | null
  readonly nowMs: Timestamp
  readonly policy: ResolvedCleaningPolicy
  /** When this log was last compacted, as far as is known. @defaultValue null, not known */
  readonly lastCompactedMs?: Timestamp | null
  /** Largest timestamp of a segment's first batch. Asked for only with `maxCompactionLagMs`. */
  firstTimestampOf(segment: SegmentInfo): Timestamp
}

/** Why a log is due. */
export type CompactionReason = 'dirtyRatio' | 'maxCompactionLag' | 'expiredRecords'

export interface CompactionPlan {
  /** Everything below was compacted before. */
  readonly firstDirtyOffset: Offset
  /** Start of the first segment that must not be touched yet. */
  readonly firstUncleanableOffset: Offset
  /** The segments below it. */
  readonly segments: readonly SegmentInfo[]
  /** Whole segments are counted, the one in which the clean part ends on both sides. */
  readonly cleanBytes: number
  readonly dirtyBytes: number
  /** Share of the dirty bytes: what `minCleanableDirtyRatio` is compared with. */
  readonly dirtyRatio: number
  /** Null when the log is not due. */
  readonly reason: CompactionReason | null
}

/**
 * Which part of a log can be compacted, and whether it is due, by Kafka's rules
 * (LogCleanerManager). Cleanable is what lies in sealed segments wholly below the last stable
 * offset and older than `minCompactionLagMs`.
 */
export function planCompaction(input: CompactionInput): CompactionPlan {
  const { segments, policy } = input
  const firstDirtyOffset = firstDirty(input)
  const sealed = segments.slice(0, -1)
  const end = sealed.findIndex((segment) => !isCleanable(input, segment, firstDirtyOffset))
  const cleanable = end < 0 ? sealed : sealed.slice(0, end)
  const firstUncleanableOffset = cleanable.at(-1)?.nextOffset ?? segments[0]?.baseOffset ?? 0
  const dirty = cleanable.filter(({ nextOffset }) => nextOffset > firstDirtyOffset)
  const cleanBytes = sum(segments.filter(({ baseOffset }) => baseOffset < firstDirtyOffset))
  const dirtyBytes = sum(dirty)
  const dirtyRatio = dirtyBytes === 0 ? 0 : dirtyBytes / (cleanBytes + dirtyBytes)
  let reason: CompactionReason | null = null
  if (dirtyRatio > policy.minCleanableDirtyRatio) reason = 'dirtyRatio'
  else if (dirtyBytes > 0 && isBehind(input, firstDirtyOffset)) reason = 'maxCompactionLag'
  else if (cleanable.some((segment) => hasExpired(input, segment))) reason = 'expiredRecords'
  const plan = { firstDirtyOffset, firstUncleanableOffset, segments: cleanable }
  return { ...plan, cleanBytes, dirtyBytes, dirtyRatio, reason }
}

/** A checkpoint outside the log is of another time: then all of it counts as dirty. */
function firstDirty({ logStartOffset, logEndOffset, cleanedOffset }: CompactionInput): Offset {
  const isInside =
    cleanedOffset !== null && cleanedOffset >= logStartOffset && cleanedOffset <= logEndOffset
  return isInside ? cleanedOffset : logStartOffset
}

function isCleanable(input: CompactionInput, segment: SegmentInfo, firstDirty: Offset): boolean {
  const { lastStableOffset, nowMs, policy } = input
  if (segment.nextOffset > lastStableOffset) return false
  if (policy.minCompactionLagMs === 0 || segment.nextOffset <= firstDirty) return true
  return segment.maxTimestamp <= nowMs - policy.minCompactionLagMs
}

/** Kafka's rule: the oldest beginning of a dirty sealed segment is too long ago. */
function isBehind(input: CompactionInput, firstDirtyOffset: Offset): boolean {
  const { maxCompactionLagMs } = input.policy
  if (maxCompactionLagMs < 0) return false
  const limitMs = input.nowMs - maxCompactionLagMs
  const dirty = input.segments
    .slice(0, -1)
    .filter(({ nextOffset }) => nextOffset > firstDirtyOffset)
  return dirty.some((segment) => {
    const timestamp = input.firstTimestampOf(segment)
    return timestamp > 0 && timestamp < limitMs
  })
}

/** Whether every record of a segment has outlived its time since the log was last compacted. */
function hasExpired(input: CompactionInput, { maxTimestamp, sizeBytes }: SegmentInfo): boolean {
  const { policy, nowMs, lastCompactedMs = null } = input
  if (policy.recordTtlMs < 0 || maxTimestamp < 0 || sizeBytes === 0) return false
  const expiresMs = maxTimestamp + policy.recordTtlMs
  return expiresMs <= nowMs && (lastCompactedMs === null || lastCompactedMs < expiresMs)
}

function sum(segments: readonly SegmentInfo[]): number {
  return segments.reduce((total, { sizeBytes }) => total + sizeBytes, 0)
}

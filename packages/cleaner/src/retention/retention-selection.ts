import type { DeletionReason, SegmentInfo } from '@varve/log'
import type { Offset, Timestamp } from '@varve/record'
import type { ResolvedCleaningPolicy } from '../policy/cleaning-policy.ts'
import { type HeldBack, heldBack, type RetentionHold } from './retention-hold.ts'

/** A segment as retention sees it. */
export interface RetentionSegment extends SegmentInfo {
  /** When its file was last changed: its age where no record has a timestamp. */
  readonly modifiedMs?: Timestamp
}

/** All that decides about a log's old segments. Plain data. */
export interface RetentionInput {
  /** Oldest first, the active one last, as `Log.segments()` gives them; or only the oldest. */
  readonly segments: readonly RetentionSegment[]
  /** Size of the segments after these. @defaultValue none: the last of these is the active one */
  readonly laterBytes?: number
  readonly logStartOffset: Offset
  readonly highWatermark: Offset
  readonly logEndOffset: Offset
  readonly nowMs: Timestamp
  readonly policy: ResolvedCleaningPolicy
  /** Consumer groups that still need what they have not committed. @defaultValue none */
  readonly holds?: readonly RetentionHold[]
}

/**
 * Why a segment is deleted, one of the first three, or stays:
 *
 * - `heldByGroup`: it would go, but a consumer group has not read it;
 * - `withinRetention`: neither too old nor too much;
 * - `aboveHighWatermark`: some of it is not visible yet;
 * - `emptyActive`: it is where the next record goes, and holds none;
 * - `behindKept`: an older segment stays, and logs are deleted from the front only.
 */
export type RetentionReason =
  | Exclude<DeletionReason, 'request'>
  | 'heldByGroup'
  | 'withinRetention'
  | 'aboveHighWatermark'
  | 'emptyActive'
  | 'behindKept'

export interface RetentionDecision {
  readonly segment: SegmentInfo
  readonly isDeleted: boolean
  readonly reason: RetentionReason
}

/** Segments that go together, for one reason: what to ask of `Log.deleteSegmentsBefore`. */
export interface RetentionDeletion {
  readonly before: Offset
  readonly reason: DeletionReason
  readonly segments: readonly SegmentInfo[]
  readonly sizeBytes: number
}

export interface RetentionPlan {
  /** One for each segment, in their order. */
  readonly decisions: readonly RetentionDecision[]
  /** In the order in which to do them. */
  readonly deletions: readonly RetentionDeletion[]
  /** What each group keeps from being deleted; groups that keep nothing are not named. */
  readonly held: readonly HeldBack[]
  /** Groups that lose records which they have not read, because the caps are exceeded. */
  readonly overruled: readonly string[]
}

/**
 * Which segments of a log are to be deleted, and why, by Kafka's rules (UnifiedLog's
 * deleteOldSegments): those before the log start offset, then by size, then by time; each walks
 * from the oldest and stops at the first segment that does not qualify, and nothing at or above the
 * high watermark goes. The active segment goes too when all of it qualifies, unless it is empty. A
 * log that is only compacted loses what lies before its start offset, nothing else.
 */
export function selectForDeletion(input: RetentionInput): RetentionPlan {
  const { segments, policy } = input
  const reasons: DeletionReason[] = []
  const walk = (reason: DeletionReason, qualifies: (segment: RetentionSegment) => boolean) => {
    for (let index = reasons.length; index < segments.length; index++) {
      const segment = segments[index]
      if (segment === undefined || obstacleOf(input, index) !== null || !qualifies(segment)) return
      reasons.push(reason)
    }
  }
  const { logStartOffset } = input
  const active = activeOf(input)
  walk('logStartOffset', (segment) => segment !== active && endOf(input, segment) <= logStartOffset)
  const alreadyGone = reasons.length
  if (policy.cleanupPolicy.includes('delete')) {
    walk('retentionSize', exceeds(segments.slice(alreadyGone), input))
    walk('retentionTime', (segment) => isExpired(segment, input.nowMs, policy.retentionMs))
  }
  const selected = segments.slice(alreadyGone, reasons.length)
  const hold = heldBack(selected, (segment) => endOf(input, segment), input)
  const goneCount = reasons.length - hold.segmentCount
  const decisions = segments.map((segment, index): RetentionDecision => {
    const reason = reasons[index]
    if (reason === undefined || reason === 'request') {
      return { segment, isDeleted: false, reason: keptBecause(input, index, reasons.length) }
    }
    const isDeleted = index < goneCount
    return { segment, isDeleted, reason: isDeleted ? reason : 'heldByGroup' }
  })
  const { held, overruled } = hold
  return { decisions, deletions: deletionsOf(input, reasons.slice(0, goneCount)), held, overruled }
}

/** Kafka's size rule: as many of the oldest as leave at least the limit. */
function exceeds(
  segments: readonly RetentionSegment[],
  { policy: { retentionBytes }, laterBytes = 0 }: RetentionInput,
): (segment: RetentionSegment) => boolean {
  const totalBytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, laterBytes)
  let excess = retentionBytes < 0 ? -1 : totalBytes - retentionBytes
  return ({ sizeBytes }) => {
    if (excess < 0 || excess - sizeBytes < 0) return false
    excess -= sizeBytes
    return true
  }
}

function isExpired(segment: RetentionSegment, nowMs: Timestamp, retentionMs: number): boolean {
  const { maxTimestamp, modifiedMs = -1 } = segment
  const newest = maxTimestamp >= 0 ? maxTimestamp : modifiedMs
  return retentionMs >= 0 && newest >= 0 && nowMs - newest > retentionMs
}

/** Where a segment ends, whether or not all of it is visible. */
function endOf(input: RetentionInput, segment: RetentionSegment): Offset {
  return segment === activeOf(input) ? input.logEndOffset : segment.nextOffset
}

function activeOf({ segments, laterBytes }: RetentionInput): RetentionSegment | undefined {
  return laterBytes === undefined ? segments.at(-1) : undefined
}

/** What keeps a segment whatever its age and the log's size. */
function obstacleOf(
  input: RetentionInput,
  index: number,
): 'aboveHighWatermark' | 'emptyActive' | null {
  const segment = input.segments[index]
  const next = input.segments[index + 1]
  const isActive = segment === activeOf(input)
  // A segment's own description ends at the high watermark; the next one's beginning is the truth.
  const last = isActive ? input.logEndOffset : segment?.nextOffset
  if (input.highWatermark < (next?.baseOffset ?? last ?? 0)) return 'aboveHighWatermark'
  return isActive && segment?.sizeBytes === 0 ? 'emptyActive' : null
}

function keptBecause(input: RetentionInput, index: number, selected: number): RetentionReason {
  const obstacle = obstacleOf(input, index)
  if (obstacle !== null) return obstacle
  return index === selected ? 'withinRetention' : 'behindKept'
}

function deletionsOf(
  input: RetentionInput,
  reasons: readonly DeletionReason[],
): readonly RetentionDeletion[] {
  const deletions: RetentionDeletion[] = []
  for (const reason of ['logStartOffset', 'retentionSize', 'retentionTime'] as const) {
    const segments = input.segments.filter((_, index) => reasons[index] === reason)
    const last = segments.at(-1)
    if (last === undefined) continue
    const sizeBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
    deletions.push({ before: endOf(input, last), reason, segments, sizeBytes })
  }
  return deletions
}

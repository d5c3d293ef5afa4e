import type { SegmentInfo } from '@varve/log'
import type { Offset, Timestamp } from '@varve/record'
import type { ResolvedCleaningPolicy } from '../policy/cleaning-policy.ts'

/** A consumer group that retention waits for. */
export interface RetentionHold {
  readonly group: string
  /** The group needs everything from here on; 0 when it has committed nothing. */
  readonly committedOffset: Offset
}

/** What a group keeps from being deleted. */
export interface HeldBack {
  readonly group: string
  readonly committedOffset: Offset
  readonly segments: number
  readonly sizeBytes: number
  /** Age of the newest record in the oldest of them, in ms; -1 when no record has a time. */
  readonly ageMs: number
}

export interface HoldOutcome {
  /** How many of the segments stay; always the last ones. */
  readonly segmentCount: number
  readonly held: readonly HeldBack[]
  readonly overruled: readonly string[]
}

interface HoldSettings {
  readonly nowMs: Timestamp
  readonly policy: ResolvedCleaningPolicy
  readonly holds?: readonly RetentionHold[]
}

type AgedSegment = SegmentInfo & { readonly modifiedMs?: Timestamp }

/**
 * Which of the segments that retention wants to delete, oldest first, have to stay because a group
 * has not committed past them. The caps of the policy overrule groups from the oldest segment on.
 */
export function heldBack<Segment extends AgedSegment>(
  segments: readonly Segment[],
  endOf: (segment: Segment) => Offset,
  { nowMs, policy, holds = [] }: HoldSettings,
): HoldOutcome {
  const firstNeeded = (offset: Offset): number => {
    const index = segments.findIndex((segment) => endOf(segment) > offset)
    return index < 0 ? segments.length : index
  }
  const needs = holds.map((hold) => ({ ...hold, first: firstNeeded(hold.committedOffset) }))
  const wanted = Math.min(segments.length, ...needs.map(({ first }) => first))
  const first = overrule(segments, wanted, nowMs, policy)
  const held: HeldBack[] = []
  for (const { group, committedOffset, first: needed } of needs) {
    const kept = segments.slice(Math.max(first, needed))
    const [oldest] = kept
    if (oldest === undefined) continue
    const ageMs = ageOf(oldest, nowMs)
    held.push({ group, committedOffset, segments: kept.length, sizeBytes: sum(kept), ageMs })
  }
  const overruled = needs.filter((need) => need.first < first).map(({ group }) => group)
  return { segmentCount: segments.length - first, held, overruled }
}

/** The first segment that may stay, from `wanted` on. */
function overrule(
  segments: readonly AgedSegment[],
  wanted: number,
  nowMs: Timestamp,
  { holdBytesMax, holdMsMax }: ResolvedCleaningPolicy,
): number {
  let first = wanted
  let sizeBytes = sum(segments.slice(first))
  for (let segment = segments[first]; segment !== undefined; segment = segments[first]) {
    const isTooMuch = holdBytesMax >= 0 && sizeBytes > holdBytesMax
    const isTooOld = holdMsMax >= 0 && ageOf(segment, nowMs) > holdMsMax
    if (!isTooMuch && !isTooOld) break
    sizeBytes -= segment.sizeBytes
    first += 1
  }
  return first
}

function ageOf({ maxTimestamp, modifiedMs = -1 }: AgedSegment, nowMs: Timestamp): number {
  const newest = maxTimestamp >= 0 ? maxTimestamp : modifiedMs
  return newest < 0 ? -1 : nowMs - newest
}

function sum(segments: readonly SegmentInfo[]): number {
  return segments.reduce((total, { sizeBytes }) => total + sizeBytes, 0)
}

import type { SegmentInfo } from '@varve/log'

/** A segment, and how much its indexes take. */
export interface GroupedSegment extends SegmentInfo {
  readonly offsetIndexBytes: number
  readonly timeIndexBytes: number
}

export interface GroupLimits {
  readonly segmentBytes: number
  readonly segmentIndexBytes: number
}

/** Offsets in a segment are kept as int32 distances from its base offset. */
const offsetRangeMax = 2 ** 31 - 1

/**
 * Neighbouring segments that become one when they are compacted (Kafka's
 * Cleaner.groupSegmentsBySize): as many as fit by size of log, size of each index and range of
 * offsets, were nothing removed.
 */
export function groupSegments<Segment extends GroupedSegment>(
  segments: readonly Segment[],
  limits: GroupLimits,
): readonly (readonly Segment[])[] {
  const groups: Segment[][] = []
  let group: Segment[] = []
  let sum = { sizeBytes: 0, offsetIndexBytes: 0, timeIndexBytes: 0 }
  for (const segment of segments) {
    const next = {
      sizeBytes: sum.sizeBytes + segment.sizeBytes,
      offsetIndexBytes: sum.offsetIndexBytes + segment.offsetIndexBytes,
      timeIndexBytes: sum.timeIndexBytes + segment.timeIndexBytes,
    }
    const fits =
      next.sizeBytes <= limits.segmentBytes &&
      Math.max(next.offsetIndexBytes, next.timeIndexBytes) <= limits.segmentIndexBytes &&
      segment.nextOffset - 1 - (group[0]?.baseOffset ?? segment.baseOffset) <= offsetRangeMax
    if (group.length > 0 && !fits) {
      groups.push(group)
      group = []
    }
    const { sizeBytes, offsetIndexBytes, timeIndexBytes } = segment
    sum = group.length === 0 ? { sizeBytes, offsetIndexBytes, timeIndexBytes } : next
    group.push(segment)
  }
  if (group.length > 0) groups.push(group)
  return groups
}

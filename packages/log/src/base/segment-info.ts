import type { Offset, Timestamp } from '@varve/record'

/**
 * A segment as plain data: what retention decides over, a compaction worker receives, a backup
 * manifest stores and the command line prints.
 */
export interface SegmentInfo {
  readonly baseOffset: Offset
  /** The offset after the segment's last; for a sealed one, the next segment's base offset. */
  readonly nextOffset: Offset
  /** Size of the `.log` file. */
  readonly sizeBytes: number
  /** The largest timestamp of a record in it; -1 when no record has one. */
  readonly maxTimestamp: Timestamp
  /** Path of the `.log` file. */
  readonly path: string
}

/** Where a segment is and what it covers: all that is known of it without a look into it. */
export type SegmentPlace = Omit<SegmentInfo, 'maxTimestamp'>

/** Why segments were deleted; Kafka's SegmentDeletionReason. */
export type DeletionReason = 'retentionTime' | 'retentionSize' | 'logStartOffset' | 'request'

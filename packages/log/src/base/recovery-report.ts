import type { FilePosition, Offset } from '@varve/record'

/** What opening a log found and did. Plain data, for programs, events and people. */
export interface RecoveryReport {
  /** Whether the log had been closed cleanly: then no record data was read. */
  readonly clean: boolean
  /** Everything below was known to be durable before. */
  readonly recoveryPoint: Offset
  readonly logStartOffset: Offset
  readonly logEndOffset: Offset
  readonly segments: number
  readonly scannedSegments: number
  readonly scannedBytes: number
  readonly durationMs: number
  /** What was cut off the end of the log; null when nothing was. */
  readonly cut: LogCut | null
  /** Files left behind by an interrupted replacement or deletion, and finished or removed now. */
  readonly finishedFiles: readonly string[]
  /** Derived files (indexes, snapshots, checkpoints) that were unusable and made anew. */
  readonly rebuiltFiles: readonly string[]
}

/** The end of a log after a crash: the first batch that could not be read, and what followed it. */
export interface LogCut {
  readonly path: string
  readonly position: FilePosition
  /** The offset at which the log now ends. */
  readonly offset: Offset
  readonly bytes: number
  readonly reason: string
  /**
   * Whether valid batches stood after the cut. A torn last write leaves none: these mean that a
   * write in the middle was lost (unflushed writes may reach the disk in any order) or damaged.
   */
  readonly validBatchesFollowed: boolean
  /** Where the removed bytes are kept; empty when they were only zeros. */
  readonly keptIn: readonly string[]
}

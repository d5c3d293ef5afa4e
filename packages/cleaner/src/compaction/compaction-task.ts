import type { AbortedTransaction, CleanedSegment, SegmentInfo } from '@varve/log'
import type { Offset, Timestamp } from '@varve/record'

/** Where the state of an active producer is kept in the log: Kafka's LastRecord. */
export interface ProducerTail {
  readonly producerId: number
  readonly epoch: number
  /** Last offset of its newest batch; null when its newest batch is a marker. */
  readonly lastDataOffset: Offset | null
}

/** One round of compaction of one log, as plain data: what a worker is given. */
export interface CompactionTask {
  readonly log: string
  readonly directory: string
  /** Every sealed segment from the log's start to the first uncleanable offset, in order. */
  readonly segments: readonly SegmentInfo[]
  /** Everything below has been compacted before. */
  readonly firstDirtyOffset: Offset
  readonly producers: readonly ProducerTail[]
  /** Aborted transactions that begin in these segments and end after them. */
  readonly abortedLater: readonly AbortedTransaction[]
  readonly nowMs: Timestamp
  readonly deleteRetentionMs: number
  /** -1: records do not expire. */
  readonly recordTtlMs: number
  /** Segments are merged up to so many bytes, and so many bytes of index. */
  readonly segmentBytes: number
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  /** An output never grows beyond this. @defaultValue 2^31-1 */
  readonly outputBytesMax?: number
  /** Memory for the offset map. */
  readonly mapBytes: number
  /** 16 random bytes for the offset map. */
  readonly seed: Uint8Array
  /** Reads and writes together; 0 no limit. */
  readonly ioBytesPerSecond: number
  /** How long a worker rests after each piece of work beside others, in ms; 0 never. */
  readonly restMs: number
  /** Only say what would be done: nothing is written. */
  readonly isDryRun: boolean
}

/** Neighbouring segments, and those that are to stand in their place. */
export interface CleanedGroup {
  readonly replaced: readonly SegmentInfo[]
  readonly cleaned: readonly CleanedSegment[]
}

export interface CompactionStats {
  /** Of the segments that were rewritten, before and after. */
  readonly inputBytes: number
  readonly outputBytes: number
  readonly inputRecords: number
  readonly outputRecords: number
  /** Records without a key, which have no place in a compacted log. */
  readonly keylessRecords: number
  /** Bytes read from disk: the dirty part is read twice. */
  readonly readBytes: number
  /** Distinct keys in the dirty part. */
  readonly keys: number
  readonly mapBytes: number
}

export interface RoundResult {
  /** Everything below is compacted now. */
  readonly endOffset: Offset
  readonly stats: CompactionStats
}

export interface CompactionProgress {
  readonly phase: 'mapping' | 'rewriting'
  /** Of the phase. */
  readonly doneBytes: number
  readonly totalBytes: number
}

import type { FilePosition, Offset, Timestamp } from '@varve/record'
import type { Clock } from '../base/clock.ts'
import type { IndexNeighbours } from '../format/index-pages.ts'
import type { AbortedTransaction, TransactionIndex } from '../format/transaction-index.ts'
import type { OpenFiles } from '../storage/open-files.ts'
import type { TailCache } from './tail-cache.ts'

/**
 * Which records a reader sees. `uncommitted`: everything below the high watermark. `committed`:
 * everything below the last stable offset; whoever reads leaves out aborted transactions.
 */
export type Isolation = 'uncommitted' | 'committed'

/** A segment as readers see it, sealed or active, of a live log or of somebody else's. */
export interface ReadableSegment {
  readonly baseOffset: Offset
  /** The offset after its last. */
  readonly nextOffset: Offset
  readonly sizeBytes: number
  readonly maxTimestamp: Timestamp
  readonly path: string
  /**
   * Tells contents apart: the same for a segment before and after it is sealed, another one for
   * what compaction put in its place.
   */
  readonly identity: object
  seek(offset: Offset): SegmentSeek
  /** The index entries around an offset. */
  around(offset: Offset): IndexNeighbours
  /** Lets go of what is in memory of its index files. */
  release(): void
  /** An offset at or before the first record with this timestamp or a later one. */
  seekTimestamp(timestamp: Timestamp): Offset
  readonly transactionIndex: TransactionIndex
}

/** Where to start looking for an offset in a segment. */
export interface SegmentSeek {
  readonly position: FilePosition
  /** The last offset of the batch that the index says stands there; null where it said nothing. */
  readonly expectedLastOffset: Offset | null
}

/** What readers need of a log. A live log is one; a log that another process writes is another. */
export interface ReadSource {
  readonly name: string
  readonly files: OpenFiles
  readonly clock: Clock
  /** The newest bytes in memory, where somebody keeps them. */
  readonly tail: TailCache | null
  readonly logStartOffset: Offset
  /** Everything below is visible. */
  readonly highWatermark: Offset
  readonly logEndOffset: Offset
  /** Every transaction below is decided. */
  readonly lastStableOffset: Offset
  /** The segment with the largest base offset at or below `offset`, else the first one. */
  segmentFor(offset: Offset): ReadableSegment | null
  /** The segment after this one. */
  segmentAfter(baseOffset: Offset): ReadableSegment | null
  /**
   * A segment at or before the first that has a record with this timestamp or a later one; null
   * where none has.
   */
  segmentReaching(timestamp: Timestamp): Promise<ReadableSegment | null>
  /**
   * Whether the file under a segment's name is the one that the segment describes: somebody else's
   * log may have been compacted meanwhile.
   */
  isSame(segment: ReadableSegment): boolean
  /**
   * Looks again at what there is, because it was not what it should be; tells whether it has
   * changed.
   */
  reload(): Promise<boolean>
  /** How far a segment may be read. */
  visibleBytes(segment: ReadableSegment): FilePosition
  /**
   * The aborted transactions that touch offsets from `from` (inclusive) to `upperBound`
   * (exclusive), as Kafka lists them in answer to a read of committed records.
   */
  abortedTransactions(from: Offset, upperBound: Offset): readonly AbortedTransaction[]
  /** What has to be done before reading at this isolation; null, mostly. */
  prepare(isolation: Isolation): Promise<void> | null
  /** Resolves when there may be something to read at `offset`; rejects when there never will be. */
  whenVisible(offset: Offset, signal: AbortSignal | null): Promise<void>
}

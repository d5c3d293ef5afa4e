import type { Offset, Timestamp } from '@varve/record'
import type { SegmentDamage } from '../format/partition-list.ts'

// What passes between the process that backs up and the threads that read, check, compress and
// encrypt for it. Plain data.

export interface ExtentTask {
  /** Of the `.log`. */
  readonly path: string
  /** The file must be this one; -1 where that is not known. */
  readonly fileId: number
  /** Where the extent begins: at a batch, unless `isRaw`. */
  readonly position: number
  /** Where the segment ends, at most. */
  readonly limit: number
  /** A batch that begins at or beyond this offset belongs to the segment no more. */
  readonly endOffset: Offset
  /** Whether batches are looked at: not behind damage. */
  readonly isRaw: boolean
  /** What the extents before it came to; without it each batch is looked at by itself. */
  readonly progress?: SegmentProgress | null
  /** About how large an extent is. */
  readonly objectBytes: number
  /** Ids of which the first eight bytes are in here, sorted, are not encoded. */
  readonly known: BigUint64Array
  readonly idKey: Uint8Array | null
  readonly epoch: { readonly id: Uint8Array; readonly key: Uint8Array } | null
  readonly repositoryId: Uint8Array
}

/** How far the checking of a segment has come. */
export interface SegmentProgress {
  readonly isSealed: boolean
  /** No batch that follows begins before it. */
  readonly nextOffset: Offset
  /** Over the first bytes of all batches so far; null where some were not read. */
  readonly spine: { readonly crc: number; readonly batches: number } | null
  /** Of the file that says what was true of the segment when it was sealed. */
  readonly digestPath: string | null
}

export interface ExtentResult {
  readonly sizeBytes: number
  readonly id: Uint8Array
  /** The object's file; null where its id is known. */
  readonly file: Uint8Array | null
  readonly recordBatches: number
  /** -1 without records. */
  readonly maxTimestamp: Timestamp
  /** The segment has nothing behind this extent. */
  readonly isEnd: boolean
  /** For the next extent's task. */
  readonly progress: SegmentProgress | null
  /** Right behind this extent. */
  readonly damage: SegmentDamage | null
}

/** What a thread answers. Errors lose their codes between threads, so they are told in words. */
export type ExtentOutcome =
  | { readonly isDone: true; readonly result: ExtentResult }
  | { readonly isDone: false; readonly code: string; readonly message: string }

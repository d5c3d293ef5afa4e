import { strict as assert } from 'node:assert'
import { type Batch, crc32c, type FilePosition, type Offset, type Timestamp } from '@varve/record'
import type { RollReason } from '../base/diagnostics.ts'
import type { ResolvedLogOptions } from '../base/log-options.ts'
import type { SegmentInfo } from '../base/segment-info.ts'
import type { IndexNeighbours } from '../format/index-pages.ts'
import { OffsetIndex } from '../format/offset-index.ts'
import { type SegmentDigest, SpineDigest } from '../format/segment-digest.ts'
import { TimeIndex } from '../format/time-index.ts'
import { TransactionIndex } from '../format/transaction-index.ts'
import {
  indexFileName,
  logFileName,
  timeIndexFileName,
  transactionIndexFileName,
} from '../storage/file-names.ts'
import type { File, FileSystem } from '../storage/file-system.ts'
import type { ReadableSegment, SegmentSeek } from './read-source.ts'

/** Largest distance of an offset from its segment's base: index entries hold 31 bits of it. */
const relativeOffsetMax = 2 ** 31 - 1
/** Index bytes gathered before they are handed to the kernel, for readers in other processes. */
const indexSaveBytes = 4096

/** An active segment as a clean shutdown left it. */
export interface RestoredSegment {
  readonly sizeBytes: number
  readonly nextOffset: Offset
  readonly firstTimestamp: Timestamp | null
  readonly offsetIndex: OffsetIndex
  readonly timeIndex: TimeIndex
  readonly transactionIndex: TransactionIndex
  readonly spine: SpineDigest
}

/**
 * What is known of the segment that is being appended to: its size, its indexes in memory, and what
 * decides when it is sealed. It holds no file: the log's writer does the writing, and tells it of
 * every batch that it placed.
 *
 * Index entries follow Kafka's rule (LogSegment.append): a batch gets an entry when more than
 * `indexIntervalBytes` were appended since the last one, so a segment's first batch has none.
 */
export class ActiveSegment implements ReadableSegment {
  readonly identity: object = {}
  readonly baseOffset: Offset
  readonly directory: string
  readonly path: string
  readonly createdMs: Timestamp
  readonly offsetIndex: OffsetIndex
  readonly timeIndex: TimeIndex
  readonly transactionIndex: TransactionIndex
  readonly spine: SpineDigest
  #options: ResolvedLogOptions
  /** 0 to 1. */
  readonly #jitter: number
  #segmentMs: number
  #sizeBytes = 0
  #nextOffset: Offset
  #maxTimestamp: Timestamp = -1
  #offsetOfMaxTimestamp: Offset
  /** Largest timestamp of the first batch: what the segment's age is counted from. */
  #firstTimestamp: Timestamp | null = null
  #bytesSinceEntry = 0
  /** Whether the files on disk are a prefix of the indexes here; else they are not believed. */
  #hasIndexFiles = false
  #hasTransactionIndexFile = false

  constructor(
    directory: string,
    baseOffset: Offset,
    options: ResolvedLogOptions,
    start: {
      readonly createdMs: Timestamp
      /** 0 to 1: the part of `segmentJitterMs` that is taken off the segment's age. */
      readonly jitter: number
      /** After a clean shutdown: what is known of the segment without reading it. */
      readonly restored?: RestoredSegment
    },
  ) {
    this.directory = directory
    this.baseOffset = baseOffset
    this.path = `${directory}/${logFileName(baseOffset)}`
    this.createdMs = start.createdMs
    this.#options = options
    this.#jitter = start.jitter
    this.#segmentMs = segmentMsOf(options, start.jitter)
    this.#nextOffset = baseOffset
    this.#offsetOfMaxTimestamp = baseOffset
    const { restored } = start
    const maxBytes = options.segmentIndexBytes
    this.offsetIndex = restored?.offsetIndex ?? new OffsetIndex(baseOffset, { maxBytes })
    this.timeIndex = restored?.timeIndex ?? new TimeIndex(baseOffset, { maxBytes })
    this.transactionIndex = restored?.transactionIndex ?? new TransactionIndex(baseOffset)
    this.spine = restored?.spine ?? new SpineDigest()
    if (restored === undefined) return
    this.#sizeBytes = restored.sizeBytes
    this.#nextOffset = restored.nextOffset
    this.#firstTimestamp = restored.firstTimestamp
    this.#maxTimestamp = restored.timeIndex.lastEntry?.timestamp ?? -1
    this.#offsetOfMaxTimestamp = restored.timeIndex.lastEntry?.offset ?? baseOffset
    this.#hasIndexFiles = true
    this.#hasTransactionIndexFile = restored.transactionIndex.count > 0
  }

  /** Other settings decide from now on when it is sealed; its indexes keep their capacity. */
  alter(options: ResolvedLogOptions): void {
    this.#options = options
    this.#segmentMs = segmentMsOf(options, this.#jitter)
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** The offset after the last one in the segment. */
  get nextOffset(): Offset {
    return this.#nextOffset
  }

  get maxTimestamp(): Timestamp {
    return this.#maxTimestamp
  }

  get firstTimestamp(): Timestamp | null {
    return this.#firstTimestamp
  }

  info(): SegmentInfo {
    return {
      baseOffset: this.baseOffset,
      nextOffset: this.#nextOffset,
      sizeBytes: this.#sizeBytes,
      maxTimestamp: this.#maxTimestamp,
      path: this.path,
    }
  }

  /**
   * Why the segment has to be sealed before this batch is appended; null when it need not be.
   * Kafka's LogSegment.shouldRoll: age is counted in record time where records have one, so an idle
   * log never rolls.
   */
  rollReason(batch: Batch, lastOffset: Offset, nowMs: Timestamp): RollReason | null {
    if (lastOffset - this.baseOffset > relativeOffsetMax) return 'offsetRange'
    if (this.#sizeBytes === 0) return null
    if (this.#sizeBytes > this.#options.segmentBytes - batch.sizeBytes) return 'size'
    if (this.offsetIndex.isFull || this.timeIndex.isFull) return 'indexFull'
    const first = this.#firstTimestamp ?? -1
    const waitedMs = first >= 0 ? batch.maxTimestamp - first : nowMs - this.createdMs
    return waitedMs > this.#segmentMs ? 'time' : null
  }

  /**
   * Takes note of a batch that was placed at the segment's end; returns its position. Whoever has
   * the memory in which the batch lies, and where, spares making a view of it.
   */
  add(batch: Batch, memory: Uint8Array = batch.bytes, start = 0): FilePosition {
    const { lastOffset, maxTimestamp, sizeBytes } = batch
    const position = this.#sizeBytes
    assert(lastOffset >= this.#nextOffset, 'offsets rise within a segment')
    assert(lastOffset - this.baseOffset <= relativeOffsetMax, 'the offset fits the index')
    if (maxTimestamp > this.#maxTimestamp) {
      this.#maxTimestamp = maxTimestamp
      this.#offsetOfMaxTimestamp = lastOffset
    }
    this.#firstTimestamp ??= maxTimestamp
    // A segment that is appended to is sealed when an index is full. One that was written with
    // larger indexes, or is written by compaction, goes on without entries.
    const hasRoom = !this.offsetIndex.isFull && !this.timeIndex.isFull
    if (this.#bytesSinceEntry > this.#options.indexIntervalBytes && hasRoom) {
      this.offsetIndex.append(lastOffset, position)
      if (this.#maxTimestamp >= 0) {
        this.timeIndex.maybeAppend(this.#maxTimestamp, this.#offsetOfMaxTimestamp)
      }
      this.#bytesSinceEntry = 0
    }
    this.#bytesSinceEntry += sizeBytes
    this.spine.add(memory, start)
    this.#sizeBytes = position + sizeBytes
    this.#nextOffset = lastOffset + 1
    return position
  }

  /** What is true of the segment as it is sealed: the time index is complete. */
  digest(): SegmentDigest {
    return {
      sizeBytes: this.#sizeBytes,
      batches: this.spine.batches,
      nextOffset: this.#nextOffset,
      maxTimestamp: this.#maxTimestamp,
      spineCrc32c: this.spine.value,
      timeIndexCrc32c: crc32c(this.timeIndex.bytes()),
      transactionIndexCrc32c: crc32c(this.transactionIndex.encode()),
    }
  }

  /** The entry that makes the time index complete: at sealing, closing and after recovery. */
  completeTimeIndex(): void {
    if (this.#maxTimestamp < 0) return
    this.timeIndex.maybeAppend(this.#maxTimestamp, this.#offsetOfMaxTimestamp, { force: true })
  }

  /** A position at or before the batch that holds `offset`. */
  seek(offset: Offset): SegmentSeek {
    const entry = this.offsetIndex.lookup(offset)
    const isFloor = entry.position > 0
    return { position: entry.position, expectedLastOffset: isFloor ? entry.offset : null }
  }

  around(offset: Offset): IndexNeighbours {
    return this.offsetIndex.around(offset)
  }

  /** Its index is what it is appended with. */
  release(): void {}

  /** An offset at or before the first record with this timestamp or a later one. */
  seekTimestamp(timestamp: Timestamp): Offset {
    return this.timeIndex.lookup(timestamp).offset
  }

  /** Hands index entries to the kernel once a block of them has gathered. Flushes nothing. */
  saveIndexesWhenDue(fs: FileSystem): void {
    if (this.offsetIndex.unsavedBytes < indexSaveBytes) return
    this.saveIndexes(fs)
  }

  /** Hands all index entries to the kernel. The first time, files of these names give way. */
  saveIndexes(fs: FileSystem): void {
    const { baseOffset } = this
    const mode = this.#hasIndexFiles ? 'write' : 'replace'
    this.#saveIndex(fs, indexFileName(baseOffset), mode, this.offsetIndex)
    this.#saveIndex(fs, timeIndexFileName(baseOffset), mode, this.timeIndex)
    this.#hasIndexFiles = true
    if (this.transactionIndex.count === 0) return
    const transactionMode = this.#hasTransactionIndexFile ? 'write' : 'replace'
    const name = transactionIndexFileName(baseOffset)
    this.#saveIndex(fs, name, transactionMode, this.transactionIndex)
    this.#hasTransactionIndexFile = true
  }

  #saveIndex(
    fs: FileSystem,
    name: string,
    mode: 'write' | 'replace',
    index: { readonly isUnsaved: boolean; save(file: File): void },
  ): void {
    if (mode === 'write' && !index.isUnsaved) return
    const file = fs.open(`${this.directory}/${name}`, mode)
    try {
      index.save(file)
    } finally {
      file.close()
    }
  }

  /** Names of the index files that exist once the indexes were saved. */
  indexFileNames(): readonly string[] {
    const names = [indexFileName(this.baseOffset), timeIndexFileName(this.baseOffset)]
    if (this.transactionIndex.count > 0) names.push(transactionIndexFileName(this.baseOffset))
    return names
  }
}

function segmentMsOf({ segmentMs, segmentJitterMs }: ResolvedLogOptions, jitter: number): number {
  return segmentMs - Math.floor(jitter * Math.min(segmentJitterMs, segmentMs))
}

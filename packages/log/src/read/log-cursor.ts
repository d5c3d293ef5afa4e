import {
  type Batch,
  batchPrefixBytes,
  batchSizeAt,
  CorruptBatchError,
  type FilePosition,
  type Offset,
  RecordBatch,
  readBatchAt,
  VarveError,
} from '@varve/record'
import { logChannels } from '../base/diagnostics.ts'
import { CorruptIndexError, CorruptLogError, OffsetOutOfRangeError } from '../base/log-errors.ts'
import type { Isolation, ReadableSegment, ReadSource } from '../segments/read-source.ts'
import { type File, isSystemError } from '../storage/file-system.ts'
import { SegmentBytes, type SegmentBytesOptions, type Stretch } from './segment-bytes.ts'

export interface CursorOptions extends SegmentBytesOptions {
  readonly from: Offset
  readonly isolation: Isolation
  readonly verifyChecksums: boolean
  /**
   * What of the batches that were read is given out. Called while what the log says of them is
   * still said of these very bytes: a moment later compaction may have replaced both.
   */
  readonly select?: (batches: readonly Batch[]) => readonly Batch[]
}

/** A log that changes under the cursor more often than this, in one call, is given up. */
const failuresMax = 16

/** Where a cursor stands: in a segment, at the start of a batch. */
interface Place {
  readonly segment: ReadableSegment
  position: FilePosition
  /** Last offset of the batch before; the next one must begin after it. */
  lastOffset: Offset
}

/**
 * Reads a log forward from an offset, a stretch of a file at a time. It believes nothing: batches
 * are checked where asked for, offsets must rise and stay within their segment, and a position from
 * an index counts only if the batch there is the one that the index meant.
 */
export class LogCursor {
  readonly #source: ReadSource
  readonly #options: CursorOptions
  readonly #bytes: SegmentBytes
  #nextOffset: Offset
  #place: Place | null = null

  constructor(source: ReadSource, options: CursorOptions) {
    this.#source = source
    this.#options = options
    this.#bytes = new SegmentBytes(source, options)
    this.#nextOffset = options.from
  }

  /**
   * The offset of the next record to be read, or the one after it where that was compacted away.
   */
  get nextOffset(): Offset {
    return this.#nextOffset
  }

  /** Below this the reader may read. */
  get limitOffset(): Offset {
    const { lastStableOffset, highWatermark } = this.#source
    return this.#options.isolation === 'committed' ? lastStableOffset : highWatermark
  }

  /**
   * The next batches: about `maxBytes` of them, at least one; none at the end of what is visible.
   * The first may begin before `nextOffset`. Throws OffsetOutOfRangeError when records at
   * `nextOffset` were deleted or never existed, CorruptLogError at damage.
   */
  async next(maxBytes: number): Promise<readonly Batch[]> {
    const preparation = this.#source.prepare(this.#options.isolation)
    if (preparation !== null) await preparation
    for (let failures = 0; ; ) {
      try {
        const batches = await this.#step(maxBytes)
        if (batches !== null) return batches
      } catch (error) {
        failures++
        if (failures > failuresMax || !(await this.#isOutdated(error))) throw this.#corrupt(error)
        this.#place = null
      }
    }
  }

  /** The next batches, none at the end; null when there is more to look at. */
  async #step(maxBytes: number): Promise<readonly Batch[] | null> {
    this.#checkRange()
    if (this.#nextOffset >= this.limitOffset) return []
    const place = this.#currentPlace() ?? this.#locate()
    if (place === null) return []
    this.#place = place
    const limit = this.#source.visibleBytes(place.segment)
    if (place.position >= limit) return this.#advance(place) ? null : []
    const before = place.position
    const from = this.#nextOffset
    const start = { position: before, offset: from }
    const stretch = await this.#bytes.read(place.segment, start, maxBytes, limit)
    if (this.#currentPlace() === null) throw new CorruptBatchError('it was replaced', before)
    const batches = this.#parse(place, stretch, limit)
    if (batches.length > 0) {
      const selected = this.#select(batches, from)
      return selected.length > 0 ? selected : null
    }
    // Nothing but undecided batches: the end, for this reader.
    return place.position === before ? [] : null
  }

  /** When what is said of the batches cannot be read, they have not been read either. */
  #select(batches: readonly Batch[], from: Offset): readonly Batch[] {
    try {
      return this.#options.select?.(batches) ?? batches
    } catch (error) {
      this.#nextOffset = from
      this.#place = null
      throw error
    }
  }

  /** Whether the log has changed under the cursor, so that what failed means nothing. */
  async #isOutdated(error: unknown): Promise<boolean> {
    const isDoubtful =
      error instanceof CorruptBatchError ||
      error instanceof CorruptIndexError ||
      isSystemError(error, 'ENOENT', 'EBADF', 'ESTALE')
    if (!isDoubtful) return false
    return (this.#place !== null && this.#currentPlace() === null) || this.#source.reload()
  }

  #checkRange(): void {
    const { name, logStartOffset, logEndOffset } = this.#source
    if (this.#nextOffset >= logStartOffset && this.#nextOffset <= logEndOffset) return
    throw new OffsetOutOfRangeError(name, this.#nextOffset, logStartOffset, logEndOffset)
  }

  /**
   * The cursor's place, unless compaction has put another segment there. In the segment as it is
   * known now: the size of one that another process writes may have been looked at in the middle
   * of a write.
   */
  #currentPlace(): Place | null {
    const place = this.#place
    if (place === null) return null
    const current = this.#source.segmentFor(place.segment.baseOffset)
    if (current?.identity !== place.segment.identity) return null
    return current === place.segment ? place : { ...place, segment: current }
  }

  #locate(): Place | null {
    const segment = this.#source.segmentFor(this.#nextOffset)
    if (segment === null) return null
    const { position, expectedLastOffset } = segment.seek(this.#nextOffset)
    const place = { segment, position, lastOffset: segment.baseOffset - 1 }
    if (position === 0 || this.#isThere(segment, position, expectedLastOffset)) return place
    segment.release()
    const error = `the index points to position ${position}, where the batch is another one`
    logChannels.corruption.publish({ log: this.#source.name, path: segment.path, error })
    return { ...place, position: 0 }
  }

  /** Whether the batch at a position is the one that the index entry was made for. */
  #isThere(segment: ReadableSegment, position: FilePosition, lastOffset: Offset | null): boolean {
    const header = this.#withFile(segment, (file) => {
      const bytes = Buffer.alloc(RecordBatch.headerBytes)
      return bytes.subarray(0, file.readSync(bytes, position))
    })
    if (header.length < batchPrefixBytes) return false
    const offset = header.readUInt32BE(0) * 2 ** 32 + header.readUInt32BE(4)
    const magic = header[16] ?? 0
    // Of the old formats the offset in front is the last one.
    if (magic < 2) return offset === lastOffset
    return (
      magic === 2 &&
      header.length === RecordBatch.headerBytes &&
      offset + header.readInt32BE(23) === lastOffset
    )
  }

  /** Goes on in the next segment; false when there is none yet. */
  #advance(place: Place): boolean {
    const current = this.#source.segmentFor(place.segment.baseOffset)
    if (current?.identity !== place.segment.identity) {
      this.#place = null
      return true
    }
    if (current.sizeBytes > place.position) {
      // It has grown, or was sealed with records that are not visible yet.
      this.#place = { ...place, segment: current }
      return this.#source.visibleBytes(current) > place.position
    }
    const next = this.#source.segmentAfter(place.segment.baseOffset)
    if (next === null) return false
    this.#place = { segment: next, position: 0, lastOffset: next.baseOffset - 1 }
    // Compaction may have left a gap between two segments.
    this.#nextOffset = Math.max(this.#nextOffset, Math.min(next.baseOffset, this.limitOffset))
    return true
  }

  #withFile<Result>(segment: ReadableSegment, action: (file: File) => Result): Result {
    const file = this.#source.files.borrow(segment.path, 'read')
    try {
      return action(file)
    } finally {
      this.#source.files.giveBack(file)
    }
  }

  /** The whole batches at the start of `bytes` that the reader may see; moves the cursor on. */
  #parse(place: Place, { bytes, highWatermark }: Stretch, limit: FilePosition): readonly Batch[] {
    const batches: Batch[] = []
    const limitOffset = Math.min(this.limitOffset, highWatermark)
    let start = 0
    try {
      for (;;) {
        const batch = readBatchAt(bytes, start, bytes.length, place.position)
        if (batch === null) break
        // A batch that claims offsets behind its segment is damage, not a batch to come.
        const isInSegment = batch.lastOffset < place.segment.nextOffset
        if (isInSegment && batch.lastOffset >= limitOffset && this.#beyond(batch, limitOffset)) {
          this.#checkNext(batch, bytes, start + batch.sizeBytes, limitOffset)
          break
        }
        this.#check(place, batch)
        start += batch.sizeBytes
        // Without a look at the next batch it waits for the next read, which begins with it.
        const isProvable = start + batchPrefixBytes <= bytes.length
        if (!isProvable && batches.length > 0 && place.position + batch.sizeBytes < limit) break
        this.#checkNext(batch, bytes, start, limitOffset)
        place.position += batch.sizeBytes
        place.lastOffset = batch.lastOffset
        if (batch.lastOffset < this.#nextOffset) continue
        batches.push(batch)
        this.#nextOffset = batch.nextOffset
      }
    } catch (error) {
      // What was read before the damage is given out; the next call comes upon it again.
      if (batches.length > 0 && error instanceof VarveError) return batches
      throw error
    }
    return batches
  }

  /** A committed reader may find undecided batches in what it read. */
  #beyond(batch: Batch, limitOffset: Offset): boolean {
    return (batch.magic === 2 ? batch.baseOffset : batch.lastOffset) >= limitOffset
  }

  #check(place: Place, batch: Batch): void {
    if (this.#options.verifyChecksums) batch.validate()
    const { segment } = place
    // In a compressed batch of the old formats the first offset follows from the last, which no
    // checksum covers: lowered, it would give out records at offsets of the batch before.
    const first = batch.baseOffset
    if (first > place.lastOffset && batch.lastOffset < segment.nextOffset) return
    const reason = `its offsets ${first} to ${batch.lastOffset} do not follow ${place.lastOffset}`
    throw new CorruptBatchError(reason, place.position)
  }

  /**
   * Offsets are not under the checksum. One that was raised shows only in the batch that follows:
   * so that one is looked at first, where it is in memory, lest records are given out at offsets
   * that are not theirs.
   */
  #checkNext(batch: Batch, bytes: Buffer, next: number, limitOffset: Offset): void {
    if (next + batchPrefixBytes > bytes.length) return
    const nextOffset = bytes.readUInt32BE(next) * 2 ** 32 + bytes.readUInt32BE(next + 4)
    if (nextOffset > batch.lastOffset) return
    // Behind what is visible there may be zeros, or what another process has half written. A batch
    // whose offset was raised as far as that has a whole one behind it.
    if (batch.nextOffset >= limitOffset && !isBatchAt(bytes, next)) return
    const reason = `its last offset is ${batch.lastOffset}, but the next batch begins at ${nextOffset}`
    throw new CorruptBatchError(reason, batch.position)
  }

  /** What is wrong with a batch, as what is wrong with the log. */
  #corrupt(error: unknown): unknown {
    if (!(error instanceof CorruptBatchError) || this.#place === null) return error
    const damage = {
      path: this.#place.segment.path,
      position: this.#place.position,
      firstOffset: this.#nextOffset,
      lastOffset: null,
      reason: error.reason,
    }
    const corrupt = new CorruptLogError(damage, { cause: error })
    logChannels.corruption.publish({ log: this.#source.name, path: damage.path, error: corrupt })
    return corrupt
  }
}

/** Whether there is the beginning of something that can be a batch. */
function isBatchAt(bytes: Buffer, start: number): boolean {
  try {
    return batchSizeAt(bytes, start, bytes.length, 0) !== null
  } catch (error) {
    if (error instanceof CorruptBatchError) return false
    throw error
  }
}

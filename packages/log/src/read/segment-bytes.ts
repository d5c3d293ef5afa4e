import {
  batchPrefixBytes,
  batchSizeAt,
  CorruptBatchError,
  type FilePosition,
  type Offset,
  RecordBatch,
} from '@varve/record'
import type { ReadableSegment, ReadSource } from '../segments/read-source.ts'

/** Reads below this are made on the event loop: shorter than the hop through the thread pool. */
const synchronousReadBytes = 64 * 1024

/** Read at least: with one call instead of two, most batches are there whole. */
const leastReadBytes = 16 * 1024

export interface SegmentBytesOptions {
  /**
   * While what was read is looked at, the thread pool reads what comes next. For those who read on.
   */
  readonly readsAhead: boolean
  /** Two buffers take turns, so that what was given out is overwritten by the next read. */
  readonly reusesMemory: boolean
}

/** What was read of a file. */
export interface Stretch {
  readonly bytes: Buffer
  /**
   * The high watermark when reading began. Records below it are in `bytes` as they are for good;
   * what stands behind them may have been written since, by another process, or be half written.
   */
  readonly highWatermark: Offset
}

/** A stretch of a file that is being read, or has been, before anybody asked for it. */
interface Ahead {
  readonly identity: object
  readonly position: FilePosition
  readonly highWatermark: Offset
  readonly bytes: Promise<Buffer>
}

/** Where to read from. */
export interface StretchStart {
  readonly position: FilePosition
  /** An offset, visible, of the batch that stands there or of one behind it. */
  readonly offset: Offset
}

/**
 * The bytes of segments, for one reader that goes forward. Files are borrowed for one read each, so
 * nothing here keeps a file open.
 */
export class SegmentBytes {
  readonly #source: ReadSource
  readonly #options: SegmentBytesOptions
  #ahead: Ahead | null = null
  /** Memory that was given out, and memory that may be read into next. */
  #given: Buffer | null = null
  #spare: Buffer | null = null

  constructor(source: ReadSource, options: SegmentBytesOptions) {
    this.#source = source
    this.#options = options
  }

  /**
   * Bytes from `position` on, about `wanted` of them, none at or behind `limit`: at least one whole
   * batch, and the beginning of the next where there is one. The caller sees to it that `position`
   * is below `limit`, and `offset` below the high watermark.
   *
   * @throws {CorruptBatchError} when there is no batch, or the file has been replaced meanwhile
   */
  async read(
    segment: ReadableSegment,
    { position, offset }: StretchStart,
    wanted: number,
    limit: FilePosition,
  ): Promise<Stretch> {
    const { highWatermark } = this.#source
    const cached = this.#source.tail?.read(segment.baseOffset, position, limit) ?? null
    if (cached !== null) return { bytes: cached, highWatermark }
    const left = limit - position
    const least = Math.min(RecordBatch.headerBytes, left)
    const length = Math.min(Math.max(wanted, leastReadBytes), left)
    const already = await this.#readAlready(segment, { position, offset }, least)
    const { bytes } = already ?? { bytes: await this.#readFile(segment, position, length) }
    const size = batchSizeAt(bytes, 0, bytes.length, position)
    if (size === null || size > left) {
      const reason = `a batch of ${size ?? 'unknown'} bytes passes the end of the data`
      throw new CorruptBatchError(reason, position)
    }
    // With the beginning of the next batch, which proves this one's offsets.
    const needed = Math.min(size + batchPrefixBytes, left)
    const isEnough = needed <= bytes.length
    const found = isEnough ? bytes : await this.#readFile(segment, position, needed)
    const asked = Math.max(wanted, needed)
    const whole = found.length > asked ? found.subarray(0, asked) : found
    if (this.#source.isSame(segment)) {
      this.#readAhead(segment, position, whole, wanted, limit)
      return { bytes: whole, highWatermark: already?.highWatermark ?? highWatermark }
    }
    throw new CorruptBatchError('its file was replaced', position)
  }

  /** What was read ahead, if it is what is asked for. */
  async #readAlready(
    segment: ReadableSegment,
    { position, offset }: StretchStart,
    least: number,
  ): Promise<Stretch | null> {
    const ahead = this.#ahead
    if (ahead === null) return null
    this.#ahead = null
    const { highWatermark } = ahead
    const isPlace = ahead.identity === segment.identity && ahead.position === position
    const isWanted = isPlace && offset < highWatermark
    // It is waited for in any case: the memory that it is read into is to be used again.
    const bytes = await (isWanted ? ahead.bytes : ahead.bytes.catch(() => null))
    return isWanted && bytes !== null && bytes.length >= least ? { bytes, highWatermark } : null
  }

  /** Begins to read what follows the whole batches of `bytes`. */
  #readAhead(
    segment: ReadableSegment,
    position: FilePosition,
    bytes: Buffer,
    wanted: number,
    limit: FilePosition,
  ): void {
    if (!this.#options.readsAhead) return
    const next = position + wholeBatches(bytes, position, limit)
    const length = Math.min(wanted, limit - next)
    if (length <= synchronousReadBytes) return
    const { highWatermark } = this.#source
    const reading = this.#readFile(segment, next, length)
    // Nobody may ever ask for it.
    reading.catch(() => undefined)
    this.#ahead = { identity: segment.identity, position: next, highWatermark, bytes: reading }
  }

  async #readFile(
    { path }: ReadableSegment,
    position: FilePosition,
    length: number,
  ): Promise<Buffer> {
    const file = this.#source.files.borrow(path, 'read')
    try {
      const bytes = this.#memory(length)
      const count =
        length <= synchronousReadBytes
          ? file.readSync(bytes, position)
          : await file.read(bytes, position)
      return count === length ? bytes : bytes.subarray(0, count)
    } finally {
      this.#source.files.giveBack(file)
    }
  }

  #memory(length: number): Buffer {
    if (!this.#options.reusesMemory) return Buffer.allocUnsafeSlow(length)
    const spare = this.#spare
    const memory = spare !== null && spare.length >= length ? spare : Buffer.allocUnsafeSlow(length)
    this.#spare = this.#given
    this.#given = memory
    return memory.length === length ? memory : memory.subarray(0, length)
  }
}

/** Bytes of the batches at the start of `bytes` that a reader of them will have read. */
function wholeBatches(bytes: Buffer, position: FilePosition, limit: FilePosition): number {
  let end = 0
  for (;;) {
    const size = sizeAt(bytes, end)
    if (size === null || end + size > bytes.length) return end
    // The last batch waits for the next read, which shows the batch behind it.
    const isProvable = end + size + batchPrefixBytes <= bytes.length
    if (!isProvable && end > 0 && position + end + size < limit) return end
    end += size
  }
}

/** As `batchSizeAt`, but damage is for those to find who look at the batches. */
function sizeAt(bytes: Buffer, at: number): number | null {
  try {
    return batchSizeAt(bytes, at, bytes.length, at)
  } catch {
    return null
  }
}

import { viewIn } from './buffer-view.ts'
import { incrementSequence } from './sequence.ts'
import type { FilePosition, Offset, Timestamp } from './units.ts'
import { ByteCursor } from './varint.ts'

/** A header as it was read. */
export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

/** What the records of a batch share. The bytes are uncompressed. */
export class RecordSource {
  readonly bytes: Buffer
  /** Of the batch, for errors. */
  readonly position: FilePosition
  readonly baseOffset: Offset
  readonly baseTimestamp: Timestamp
  /** -1 none. */
  readonly baseSequence: number
  /** The memory of `bytes`, asked for once: that takes half as long as making a view. */
  readonly #memory: ArrayBufferLike
  readonly #memoryAt: number

  constructor(
    bytes: Buffer,
    position: FilePosition,
    baseOffset: Offset,
    baseTimestamp: Timestamp,
    baseSequence: number,
  ) {
    this.bytes = bytes
    this.position = position
    this.baseOffset = baseOffset
    this.baseTimestamp = baseTimestamp
    this.baseSequence = baseSequence
    this.#memory = bytes.buffer
    this.#memoryAt = bytes.byteOffset
  }

  /** A view of the bytes; the range lies within them. */
  view(at: number, sizeBytes: number): Buffer {
    return viewIn(this.#memory, this.#memoryAt + at, sizeBytes)
  }
}

/** No two reads of a record without headers need two empty arrays. */
const noHeaders: readonly RecordHeader[] = Object.freeze([])

/**
 * One record of a batch. It holds positions only: key, value and headers are made when they are
 * asked for, anew each time, as views of the batch's bytes.
 */
export class LogRecord {
  readonly #source: RecordSource
  #offsetDelta: number
  #timestampDelta: number
  #keyAt: number
  #keySize: number
  #valueAt: number
  #valueSize: number
  #headerCount: number

  /** For the readers of this package, which have checked that all of it lies within the bytes. */
  constructor(
    source: RecordSource,
    offsetDelta: number,
    timestampDelta: number,
    keyAt: number,
    keySize: number,
    valueAt: number,
    valueSize: number,
    headerCount: number,
  ) {
    this.#source = source
    this.#offsetDelta = offsetDelta
    this.#timestampDelta = timestampDelta
    this.#keyAt = keyAt
    this.#keySize = keySize
    this.#valueAt = valueAt
    this.#valueSize = valueSize
    this.#headerCount = headerCount
  }

  /** @internal Makes it another record of the same batch. */
  moveTo(
    offsetDelta: number,
    timestampDelta: number,
    keyAt: number,
    keySize: number,
    valueAt: number,
    valueSize: number,
    headerCount: number,
  ): this {
    this.#offsetDelta = offsetDelta
    this.#timestampDelta = timestampDelta
    this.#keyAt = keyAt
    this.#keySize = keySize
    this.#valueAt = valueAt
    this.#valueSize = valueSize
    this.#headerCount = headerCount
    return this
  }

  /** Bytes of the key; -1 when it is null. */
  get keySize(): number {
    return this.#keySize
  }

  /** Bytes of the value; -1 when it is null. */
  get valueSize(): number {
    return this.#valueSize
  }

  /**
   * The uncompressed bytes in which it lies, with the other records of its batch. For whoever looks
   * at millions of keys and values and cannot afford a view of each: `keySize` bytes from `keyAt`
   * on, and `valueSize` from `valueAt` on.
   */
  get bytes(): Buffer {
    return this.#source.bytes
  }

  /** Where in `bytes` the key begins; of no meaning when it is null. */
  get keyAt(): number {
    return this.#keyAt
  }

  /** Where in `bytes` the value begins; of no meaning when it is null. */
  get valueAt(): number {
    return this.#valueAt
  }

  get offset(): Offset {
    return this.#source.baseOffset + this.#offsetDelta
  }

  /** In milliseconds; -1 none. In a LogAppendTime batch, that of the append. */
  get timestamp(): Timestamp {
    return this.#source.baseTimestamp + this.#timestampDelta
  }

  /** Sequence number of an idempotent producer's record; -1 none. */
  get sequence(): number {
    const base = this.#source.baseSequence
    return base < 0 ? -1 : incrementSequence(base, this.#offsetDelta)
  }

  /** Where the batch of this record was read from, for errors. */
  get batchPosition(): FilePosition {
    return this.#source.position
  }

  get key(): Buffer | null {
    if (this.#keySize < 0) return null
    return this.#source.view(this.#keyAt, this.#keySize)
  }

  get value(): Buffer | null {
    if (this.#valueSize < 0) return null
    return this.#source.view(this.#valueAt, this.#valueSize)
  }

  /**
   * The same record with memory of its own: for whoever keeps it, and not the batch that it lies
   * in, or outlives the memory that the batch was read into.
   */
  detach(): LogRecord {
    const { bytes, position, baseOffset, baseTimestamp, baseSequence } = this.#source
    const start = this.#keyAt
    const own = Buffer.allocUnsafe(this.#end - start)
    bytes.copy(own, 0, start, start + own.length)
    return new LogRecord(
      new RecordSource(own, position, baseOffset, baseTimestamp, baseSequence),
      this.#offsetDelta,
      this.#timestampDelta,
      0,
      this.#keySize,
      this.#valueAt - start,
      this.#valueSize,
      this.#headerCount,
    )
  }

  /** Where its last field ends: its value, or its last header. */
  get #end(): number {
    const valueEnd = this.#valueAt + Math.max(this.#valueSize, 0)
    if (this.#headerCount === 0) return valueEnd
    const { bytes } = this.#source
    const cursor = new ByteCursor(bytes, valueEnd, bytes.length)
    cursor.readVarint()
    for (let field = 0; field < 2 * this.#headerCount; field++) {
      const size = cursor.readVarint()
      cursor.position += Math.max(size, 0)
    }
    return cursor.position
  }

  get headers(): readonly RecordHeader[] {
    if (this.#headerCount === 0) return noHeaders
    const bytes = this.#source.bytes
    const start = this.#valueAt + Math.max(this.#valueSize, 0)
    const cursor = new ByteCursor(bytes, start, bytes.length)
    // The count stands in front of the first header; it is known already.
    cursor.readVarint()
    const headers: RecordHeader[] = []
    for (let index = 0; index < this.#headerCount; index++) {
      const keySize = cursor.readVarint()
      const keyEnd = cursor.position + keySize
      const key = bytes.toString('utf8', cursor.position, keyEnd)
      cursor.position = keyEnd
      const valueSize = cursor.readVarint()
      const valueEnd = cursor.position + Math.max(valueSize, 0)
      headers.push({ key, value: valueSize < 0 ? null : bytes.subarray(cursor.position, valueEnd) })
      cursor.position = valueEnd
    }
    return headers
  }
}

import assert from 'node:assert/strict'
import { recordsAt, writeBatchHeader } from './batch-header.ts'
import {
  type BatchOptions,
  type ResolvedBatchOptions,
  resolveBatchOptions,
} from './batch-options.ts'
import { compress } from './compression/compression.ts'
import { InvalidArgumentError } from './errors.ts'
import type { RecordHeaderInput, RecordInput } from './record-input.ts'
import { utf8Size, writeUtf8 } from './text.ts'
import type { Timestamp } from './units.ts'
import { int32Max, varintSize, writeVarint, writeVarlong } from './varint.ts'

const defaultInitialBytes = 64 * 1024

/**
 * clear() gives memory beyond this back unless the round that ends used at least a quarter of it.
 */
const keptBytes = 4 * 1024 * 1024

/** Shorter runs of bytes are copied by a plain loop, which beats a call. */
const shortCopyBytes = 12

/** What a record has beside its fields: at most, and in a batch of some thousand records. */
const recordOverheadMax = 5 + 1 + 8 + 5 + 5 + 5
const recordOverheadUsual = 6

/** Where a finished batch lies in `BatchEncoder.bytes()`. */
export interface EncodedBatch {
  readonly start: number
  readonly sizeBytes: number
}

/** How far an open batch had got. */
class EncoderMark {
  size = 0
  count = 0
  lastOffsetDelta = -1
  baseTimestamp: Timestamp = Number.NaN
  maxTimestamp: Timestamp = -1
}

/** What finish() would otherwise compute; compaction keeps those of the batch it rewrites. */
export interface FinishOverrides {
  /** At least that of the last record. */
  readonly lastOffsetDelta?: number
  readonly maxTimestamp?: Timestamp
}

/**
 * Encodes batch after batch into one growing, reusable buffer: the hot path of the log's writer.
 *
 * A batch is opened with `begin`, filled with `append` and closed with `finish` or `abandon`; these
 * out of order are a mistake of the caller's program. Records are encoded where they will lie, the
 * header is filled in at the end; records to be compressed are encoded to the same place and then
 * replaced by their compressed form.
 *
 * `clear` keeps the memory for the next round. Of more than 4 MiB (or `initialBytes`, if that is
 * more) it keeps only as much unless the round used at least a quarter of it.
 */
export class BatchEncoder {
  readonly #initialBytes: number
  #bytes: Buffer
  /** End of the finished batches, start of the open one. */
  #start = 0
  /** Where the next record goes. */
  #end = 0
  #open: ResolvedBatchOptions | null = null
  #count = 0
  #lastOffsetDelta = -1
  /** NaN until the first record sets it. */
  #baseTimestamp = Number.NaN
  #maxTimestamp = -1
  readonly #mark = new EncoderMark()

  constructor(options: { readonly initialBytes?: number } = {}) {
    const { initialBytes = defaultInitialBytes } = options
    if (!Number.isInteger(initialBytes) || initialBytes < 0 || initialBytes > int32Max) {
      throw new InvalidArgumentError('initialBytes', initialBytes, 'must be 0 to 2^31-1')
    }
    this.#initialBytes = Math.max(initialBytes, recordsAt)
    this.#bytes = Buffer.allocUnsafeSlow(this.#initialBytes)
  }

  get isOpen(): boolean {
    return this.#open !== null
  }

  /** Records in the open batch. */
  get openCount(): number {
    return this.#count
  }

  /** Bytes of the open batch with its header, not yet compressed; 0 when none is open. */
  get openSizeBytes(): number {
    return this.#end - this.#start
  }

  /** Bytes of the finished batches. */
  get sizeBytes(): number {
    return this.#start
  }

  /** Memory that it holds. */
  get capacityBytes(): number {
    return this.#bytes.length
  }

  /**
   * Opens a batch.
   *
   * @throws {InvalidArgumentError} when an option is outside its range.
   */
  begin(options: BatchOptions = {}): void {
    assert(this.#open === null, 'the batch before is finished or abandoned')
    const resolved = resolveBatchOptions(options)
    this.#reserve(this.#start + recordsAt)
    this.#open = resolved
    this.#end = this.#start + recordsAt
    this.#count = 0
    this.#lastOffsetDelta = -1
    this.#baseTimestamp = resolved.deleteHorizon ?? Number.NaN
    this.#maxTimestamp = -1
  }

  /**
   * Encodes one record into the open batch. All or nothing: after an error it is as it was before.
   *
   * @param defaultTimestamp of a record that has none
   * @param offsetDelta distance from the batch's base offset; must rise from record to record
   * @throws {InvalidArgumentError} when a field has no place in the format, or the batch would
   *   exceed 2^31-1 bytes.
   */
  append(
    record: RecordInput,
    defaultTimestamp: Timestamp,
    offsetDelta: number = this.#count,
  ): void {
    // A call of assert would cost more than a small record.
    if (this.#open === null) assert.fail('a batch is open')
    const key = record.key ?? null
    const value = record.value ?? null
    const headers = record.headers
    const timestamp = record.timestamp ?? defaultTimestamp
    if (!(offsetDelta > this.#lastOffsetDelta && offsetDelta === (offsetDelta | 0))) {
      refuseOffsetDelta(offsetDelta, this.#lastOffsetDelta)
    }
    const keySize = key === null ? -1 : sizeOf(key, 'key')
    const valueSize = value === null ? -1 : sizeOf(value, 'value')
    const headersSize = headers === undefined ? 1 : sizeOfHeaders(headers)
    const fieldsSize = Math.max(keySize, 0) + Math.max(valueSize, 0) + headersSize
    const start = this.#end
    const endMax = start + recordOverheadMax + fieldsSize
    if (endMax - this.#start > int32Max) refuseSize(endMax - this.#start)
    if (endMax > this.#bytes.length) this.#reserve(endMax)

    // The length stands in front and is known behind: room is left for the size it likely has.
    const lengthSize = varintSize(fieldsSize + recordOverheadUsual)
    const bytes = this.#bytes
    const body = start + lengthSize
    bytes[body] = 0
    let at = this.#writeTimestamp(body + 1, timestamp)
    at = writeVarint(bytes, at, offsetDelta)
    at = key === null ? writeVarint(bytes, at, -1) : writeField(bytes, at, key, keySize)
    at = value === null ? writeVarint(bytes, at, -1) : writeField(bytes, at, value, valueSize)
    if (headers === undefined) bytes[at] = 0
    else writeHeaders(bytes, at, headers)
    at += headersSize
    const length = at - body
    if (varintSize(length) !== lengthSize)
      at = moveBody(bytes, body, at, start + varintSize(length))
    writeVarint(bytes, start, length)

    this.#end = at
    this.#count += 1
    this.#lastOffsetDelta = offsetDelta
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
  }

  /**
   * Closes the open batch: compresses its records, writes header and checksum. After an error the
   * batch is still open.
   *
   * A batch without records has only its header, uncompressed, and needs `lastOffsetDelta`.
   *
   * @throws {InvalidArgumentError} when an override is outside its range.
   * @throws {NativeModuleError} when the codec's package cannot be loaded.
   */
  finish(overrides: FinishOverrides = {}): EncodedBatch {
    const open = this.#open
    assert(open !== null, 'a batch is open')
    const { lastOffsetDelta = this.#lastOffsetDelta, maxTimestamp = this.#maxTimestamp } = overrides
    checkOverrides(lastOffsetDelta, maxTimestamp, this.#lastOffsetDelta)
    const isEmpty = this.#count === 0
    if (!isEmpty && open.compressionType !== 'none') this.#compress(open)
    const start = this.#start
    const sizeBytes = this.#end - start
    // Written out: spreading the options costs many times what writing a header does.
    writeBatchHeader(this.#bytes, start, this.#end, {
      baseOffset: open.baseOffset,
      leaderEpoch: open.leaderEpoch,
      compressionType: isEmpty ? 'none' : open.compressionType,
      timestampType: open.timestampType,
      isTransactional: open.isTransactional,
      isControl: open.isControl,
      lastOffsetDelta,
      baseTimestamp: isEmpty ? -1 : this.#baseTimestamp,
      hasDeleteHorizon: !isEmpty && open.deleteHorizon !== null,
      maxTimestamp,
      producerId: open.producerId,
      producerEpoch: open.producerEpoch,
      baseSequence: open.baseSequence,
      count: this.#count,
    })
    this.#start = this.#end
    this.#open = null
    this.#count = 0
    return { start, sizeBytes }
  }

  /**
   * Remembers the open batch as it is, for `rollback`. There is one mark, used again and again: an
   * object for every append would cost more than some of what it is there for.
   */
  mark(): void {
    if (this.#open === null) assert.fail('a batch is open')
    const mark = this.#mark
    mark.size = this.#end - this.#start
    mark.count = this.#count
    mark.lastOffsetDelta = this.#lastOffsetDelta
    mark.baseTimestamp = this.#baseTimestamp
    mark.maxTimestamp = this.#maxTimestamp
  }

  /** Takes back what was appended to the open batch since `mark`. */
  rollback(): void {
    assert(this.#open !== null, 'a batch is open')
    const mark = this.#mark
    assert(mark.count <= this.#count, 'the mark is of this batch')
    this.#end = this.#start + mark.size
    this.#count = mark.count
    this.#lastOffsetDelta = mark.lastOffsetDelta
    this.#baseTimestamp = mark.baseTimestamp
    this.#maxTimestamp = mark.maxTimestamp
  }

  /** Copies a finished batch that was made elsewhere behind those here. */
  addFinished(batch: Uint8Array): EncodedBatch {
    assert(this.#open === null, 'the batch before is finished or abandoned')
    const start = this.#start
    this.#reserve(start + batch.length)
    this.#bytes.set(batch, start)
    this.#start = start + batch.length
    this.#end = this.#start
    return { start, sizeBytes: batch.length }
  }

  /** Drops the open batch. */
  abandon(): void {
    assert(this.#open !== null, 'a batch is open')
    this.#end = this.#start
    this.#open = null
    this.#count = 0
  }

  /** The finished batches, one after the other: a view, valid until the next call of any method. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#start)
  }

  /** Forgets the finished batches; the memory is kept, as the class says. */
  clear(): void {
    assert(this.#open === null, 'the open batch is finished or abandoned before the memory is')
    const kept = Math.max(keptBytes, this.#initialBytes)
    if (this.#bytes.length > kept && this.#start < this.#bytes.length / 4) {
      this.#bytes = Buffer.allocUnsafeSlow(kept)
    }
    this.#start = 0
    this.#end = 0
  }

  #compress(open: ResolvedBatchOptions): void {
    const recordsStart = this.#start + recordsAt
    const records = this.#bytes.subarray(recordsStart, this.#end)
    const compressed = compress(open.compressionType, records, open.compressionLevel)
    const end = recordsStart + compressed.length
    if (end - this.#start > int32Max) refuseSize(end - this.#start)
    this.#reserve(end)
    this.#bytes.set(compressed, recordsStart)
    this.#end = end
  }

  /** Nearly every delta is an int32, and integers are cheaper to handle than doubles. */
  #writeTimestamp(at: number, timestamp: Timestamp): number {
    const base = this.#baseTimestamp
    const delta = (timestamp - base) | 0
    if (base + delta === timestamp && timestamp >= -1) return writeVarint(this.#bytes, at, delta)
    return this.#writeFirstOrFarTimestamp(at, timestamp)
  }

  #writeFirstOrFarTimestamp(at: number, timestamp: Timestamp): number {
    if (!isTimestamp(timestamp)) refuseTimestamp(timestamp)
    if (Number.isNaN(this.#baseTimestamp)) this.#baseTimestamp = timestamp
    const delta = timestamp - this.#baseTimestamp
    if (!Number.isSafeInteger(delta)) refuseTimestamp(timestamp)
    return writeVarlong(this.#bytes, at, delta)
  }

  /** Makes the buffer hold at least `size` bytes. */
  #reserve(size: number): void {
    if (size <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(size, this.#bytes.length * 2))
    this.#bytes.copy(grown, 0, 0, this.#end)
    this.#bytes = grown
  }
}

/** Puts a body that starts at `body` to `to` and returns its new end. */
function moveBody(bytes: Buffer, body: number, end: number, to: number): number {
  bytes.copyWithin(to, body, end)
  return end + to - body
}

function isTimestamp(value: number): boolean {
  return value >= -1 && value <= Number.MAX_SAFE_INTEGER && Math.floor(value) === value
}

function sizeOf(field: Uint8Array | string, name: string): number {
  if (typeof field === 'string') return utf8Size(field)
  if (field instanceof Uint8Array) return field.length
  throw new InvalidArgumentError(name, field, 'must be bytes, a string or null')
}

function sizeOfHeaders(headers: readonly RecordHeaderInput[]): number {
  if (!Array.isArray(headers)) throw new InvalidArgumentError('headers', headers, 'must be a list')
  let size = varintSize(headers.length)
  for (const header of headers) {
    if (typeof header !== 'object' || header === null)
      throw new InvalidArgumentError('header', header, 'must be an object with a key and a value')
    const { key, value } = header
    if (typeof key !== 'string')
      throw new InvalidArgumentError('header key', key, 'must be a string')
    const keySize = utf8Size(key)
    const valueSize = value === null ? -1 : sizeOf(value, 'header value')
    size += varintSize(keySize) + keySize + varintSize(valueSize) + Math.max(valueSize, 0)
  }
  return size
}

function writeHeaders(bytes: Buffer, at: number, headers: readonly RecordHeaderInput[]): void {
  at = writeVarint(bytes, at, headers.length)
  for (const { key, value } of headers) {
    at = writeField(bytes, at, key, utf8Size(key))
    if (value === null) at = writeVarint(bytes, at, -1)
    else at = writeField(bytes, at, value, sizeOf(value, 'header value'))
  }
}

function writeField(bytes: Buffer, at: number, field: Uint8Array | string, size: number): number {
  at = writeVarint(bytes, at, size)
  if (typeof field === 'string') return writeUtf8(bytes, at, field, size)
  if (size < shortCopyBytes) {
    for (let index = 0; index < size; index++) bytes[at + index] = field[index] as number
  } else {
    bytes.set(field, at)
  }
  return at + size
}

function checkOverrides(lastOffsetDelta: number, maxTimestamp: number, least: number): void {
  if (lastOffsetDelta !== (lastOffsetDelta | 0) || lastOffsetDelta < Math.max(least, 0)) {
    throw new InvalidArgumentError(
      'lastOffsetDelta',
      lastOffsetDelta,
      'must be an int32, not below that of the last record; a batch without records needs it',
    )
  }
  if (!isTimestamp(maxTimestamp)) refuseTimestamp(maxTimestamp)
}

function refuseTimestamp(timestamp: number): never {
  throw new InvalidArgumentError('timestamp', timestamp, 'must be milliseconds since 1970 or -1')
}

function refuseOffsetDelta(offsetDelta: number, last: number): never {
  const rule = `must be an int32 greater than ${last}, that of the record before`
  throw new InvalidArgumentError('offsetDelta', offsetDelta, rule)
}

function refuseSize(size: number): never {
  throw new InvalidArgumentError('record', size, 'a batch has at most 2^31-1 bytes')
}

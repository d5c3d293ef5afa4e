import assert from 'node:assert/strict'
import type { Batch, BatchRecords, ReadRecordsOptions, TimestampType } from './batch.ts'
import {
  attributesAt,
  baseOffsetAt,
  baseSequenceAt,
  baseTimestampAt,
  batchLengthAt,
  batchOverheadBytes,
  controlBit,
  countAt,
  crcAt,
  deleteHorizonBit,
  lastOffsetDeltaAt,
  leaderEpochAt,
  logAppendTimeBit,
  magicAt,
  maxTimestampAt,
  producerEpochAt,
  producerIdAt,
  recordsAt,
  transactionalBit,
} from './batch-header.ts'
import { decompress } from './compression/compression.ts'
import {
  type CompressionType,
  compressionMask,
  compressionTypeOf,
} from './compression/compression-type.ts'
import { crc32c } from './crc32c.ts'
import { CorruptBatchError, UnsupportedFormatError } from './errors.ts'
import { readInt64, writeInt64 } from './int64.ts'
import { RecordSource } from './log-record.ts'
import { type CheckedRecords, checkRecords } from './record-check.ts'
import { RecordList } from './record-list.ts'
import { incrementSequence } from './sequence.ts'
import type { FilePosition, Offset, Timestamp } from './units.ts'

/** Batches that a builder of this process has made. */
const builtHere = new WeakSet<RecordBatch>()

/** A batch of magic 2, the only one that is written: a view of its bytes, nothing copied. */
export class RecordBatch implements Batch {
  static readonly headerBytes: 61 = 61

  readonly bytes: Buffer
  readonly position: FilePosition

  /** @internal The batch that a builder has just made: it computed the checksum of these bytes. */
  static ofBuilder(bytes: Buffer): RecordBatch {
    const batch = new RecordBatch(bytes)
    builtHere.add(batch)
    return batch
  }

  /**
   * @param bytes exactly one batch
   * @param position where it was read from, for errors
   * @throws {CorruptBatchError} when the header cannot be that of a batch. The checksum is not
   *   checked here.
   */
  constructor(bytes: Buffer, position: FilePosition = 0) {
    this.bytes = bytes
    this.position = position
    this.#checkHeader()
  }

  get magic(): 2 {
    return 2
  }

  get sizeBytes(): number {
    return this.bytes.length
  }

  get baseOffset(): Offset {
    return readInt64(this.bytes, baseOffsetAt)
  }

  get lastOffset(): Offset {
    return this.baseOffset + this.bytes.readInt32BE(lastOffsetDeltaAt)
  }

  get nextOffset(): Offset {
    return this.lastOffset + 1
  }

  get count(): number {
    return this.bytes.readInt32BE(countAt)
  }

  get leaderEpoch(): number {
    return this.bytes.readInt32BE(leaderEpochAt)
  }

  get compressionType(): CompressionType {
    const id = this.#attributes & compressionMask
    const type = compressionTypeOf(id)
    if (type !== undefined) return type
    throw new UnsupportedFormatError(
      `the record batch at position ${this.position} is compressed with the unknown codec ${id}`,
    )
  }

  get timestampType(): TimestampType {
    return (this.#attributes & logAppendTimeBit) === 0 ? 'CreateTime' : 'LogAppendTime'
  }

  /** What the records' timestamp deltas count from; a delete horizon where there is one. */
  get baseTimestamp(): Timestamp {
    return readInt64(this.bytes, baseTimestampAt)
  }

  get maxTimestamp(): Timestamp {
    return readInt64(this.bytes, maxTimestampAt)
  }

  get producerId(): number {
    return readInt64(this.bytes, producerIdAt)
  }

  get producerEpoch(): number {
    return this.bytes.readInt16BE(producerEpochAt)
  }

  get baseSequence(): number {
    return this.bytes.readInt32BE(baseSequenceAt)
  }

  get lastSequence(): number {
    const base = this.baseSequence
    return base < 0 ? -1 : incrementSequence(base, this.bytes.readInt32BE(lastOffsetDeltaAt))
  }

  get isTransactional(): boolean {
    return (this.#attributes & transactionalBit) !== 0
  }

  get isControl(): boolean {
    return (this.#attributes & controlBit) !== 0
  }

  get deleteHorizon(): Timestamp | null {
    return (this.#attributes & deleteHorizonBit) === 0 ? null : this.baseTimestamp
  }

  get crc(): number {
    return this.bytes.readUInt32BE(crcAt)
  }

  /**
   * Whether it was built in this process, by a RecordBatchBuilder: then its checksum was computed
   * of these very bytes, and a log does not compute it again. Whoever writes into `bytes` of such a
   * batch, other than by `stamp` and those that are called after it, makes a corrupt batch.
   */
  get isBuilt(): boolean {
    return builtHere.has(this)
  }

  isChecksumValid(): boolean {
    return this.crc === crc32c(this.bytes.subarray(attributesAt))
  }

  validate(): void {
    if (!this.isChecksumValid()) this.#fail('its CRC-32C does not match its bytes')
    void this.compressionType
    this.#checkCount()
  }

  /**
   * Goes over the records of a batch as its producer made it, without making anything of them:
   * all that `records()` checks, and that their offsets are dense. A quarter of the time.
   *
   * @throws {CorruptBatchError}
   * @throws {UnsupportedFormatError} when the codec's number is unknown.
   * @throws {DecompressionLimitError}
   * @throws {NativeModuleError} when the codec's package cannot be loaded.
   */
  checkRecords(options: Omit<ReadRecordsOptions, 'reuseRecord'> = {}): CheckedRecords {
    const count = this.#checkCount()
    const { compressionType, baseTimestamp, position } = this
    const isCompressed = compressionType !== 'none' && count > 0
    const bytes = isCompressed ? this.#decompress(compressionType, options) : this.bytes
    const start = isCompressed ? 0 : recordsAt
    return checkRecords({ bytes, start, count, baseTimestamp, position })
  }

  records(options: ReadRecordsOptions = {}): BatchRecords {
    const count = this.#checkCount()
    const compressionType = this.compressionType
    const isCompressed = compressionType !== 'none' && count > 0
    const bytes = isCompressed ? this.#decompress(compressionType, options) : this.bytes
    const ignoresTimestamps = this.timestampType === 'LogAppendTime'
    const baseTimestamp = ignoresTimestamps ? this.maxTimestamp : this.baseTimestamp
    const { position, baseOffset, baseSequence } = this
    const source = new RecordSource(bytes, position, baseOffset, baseTimestamp, baseSequence)
    const start = isCompressed ? 0 : recordsAt
    const lastOffsetDelta = this.bytes.readInt32BE(lastOffsetDeltaAt)
    const { reuseRecord = false } = options
    return new RecordList(source, { start, count, lastOffsetDelta, ignoresTimestamps, reuseRecord })
  }

  /** Sets, in place, what the leader sets; neither lies under the checksum. */
  stamp(baseOffset: Offset, leaderEpoch: number): void {
    assert(Number.isSafeInteger(baseOffset) && baseOffset >= 0, 'a base offset is 0 … 2^53-1')
    writeInt64(this.bytes, baseOffsetAt, baseOffset)
    this.bytes.writeInt32BE(leaderEpoch, leaderEpochAt)
  }

  /**
   * Gives it, in place, another place in its producer's numbering, where what was sent before it
   * turned out otherwise; new checksum.
   */
  stampSequence(baseSequence: number): void {
    assert(baseSequence === (baseSequence | 0) && baseSequence >= 0, 'a sequence is 0 … 2^31-1')
    this.bytes.writeInt32BE(baseSequence, baseSequenceAt)
    this.bytes.writeUInt32BE(crc32c(this.bytes.subarray(attributesAt)), crcAt)
  }

  /** Makes it, in place, a batch of another producer, or of another life of its; new checksum. */
  stampProducer(producerId: number, producerEpoch: number, baseSequence: number): void {
    assert(Number.isSafeInteger(producerId) && producerId >= 0, 'a producer id is 0 … 2^53-1')
    writeInt64(this.bytes, producerIdAt, producerId)
    this.bytes.writeInt16BE(producerEpoch, producerEpochAt)
    this.stampSequence(baseSequence)
  }

  /** Makes it, in place, a batch whose records all have the time of the append; new checksum. */
  stampLogAppendTime(timestamp: Timestamp): void {
    assert(Number.isSafeInteger(timestamp), 'a timestamp is a safe integer')
    this.bytes.writeInt16BE(this.#attributes | logAppendTimeBit, attributesAt)
    writeInt64(this.bytes, maxTimestampAt, timestamp)
    this.bytes.writeUInt32BE(crc32c(this.bytes.subarray(attributesAt)), crcAt)
  }

  /** Says, in place, which timestamp is the greatest of its records; new checksum. */
  stampMaxTimestamp(timestamp: Timestamp): void {
    assert(Number.isSafeInteger(timestamp), 'a timestamp is a safe integer')
    writeInt64(this.bytes, maxTimestampAt, timestamp)
    this.bytes.writeUInt32BE(crc32c(this.bytes.subarray(attributesAt)), crcAt)
  }

  get #attributes(): number {
    return this.bytes.readInt16BE(attributesAt)
  }

  #checkHeader(): void {
    const { bytes } = this
    if (bytes.length < RecordBatch.headerBytes) {
      this.#fail(`${bytes.length} bytes are too few for a batch of magic 2`)
    }
    if (bytes.readInt32BE(batchLengthAt) + batchOverheadBytes !== bytes.length) {
      this.#fail('its size field disagrees with the bytes given')
    }
    if (bytes[magicAt] !== 2) this.#fail(`its magic is ${bytes[magicAt]}, not 2`)
    this.#checkInt64('base offset', this.baseOffset, 0)
    this.#checkInt64('base timestamp', this.baseTimestamp, Number.MIN_SAFE_INTEGER)
    this.#checkInt64('max timestamp', this.maxTimestamp, Number.MIN_SAFE_INTEGER)
    this.#checkInt64('producer id', this.producerId, -1)
    const lastOffsetDelta = bytes.readInt32BE(lastOffsetDeltaAt)
    if (lastOffsetDelta < 0) this.#fail(`its last offset delta is ${lastOffsetDelta}`)
    this.#checkInt64('next offset', this.nextOffset, 0)
  }

  #checkInt64(field: string, value: number, min: number): void {
    if (Number.isSafeInteger(value) && value >= min) return
    this.#fail(`its ${field} is ${value < min ? 'too small' : 'beyond 2^53-1'}`)
  }

  #checkCount(): number {
    const count = this.count
    if (count < 0) this.#fail(`its record count is ${count}`)
    return count
  }

  #decompress(type: CompressionType, options: ReadRecordsOptions): Buffer {
    const { maxDecompressedBytes, memory } = options
    const output = decompress(type, this.bytes.subarray(recordsAt), {
      magic: 2,
      position: this.position,
      ...(maxDecompressedBytes !== undefined && { maxBytes: maxDecompressedBytes }),
      ...(memory?.isUsed === true && { into: memory.bytes }),
    })
    memory?.used(output)
    return output
  }

  #fail(reason: string): never {
    throw new CorruptBatchError(reason, this.position)
  }
}

assert(recordsAt === RecordBatch.headerBytes, 'the header grammar adds up to 61 bytes')

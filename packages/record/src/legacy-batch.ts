import type { Batch, BatchRecords, ReadRecordsOptions, TimestampType } from './batch.ts'
import {
  baseOffsetAt,
  batchLengthAt,
  batchOverheadBytes,
  batchPrefixBytes,
  logAppendTimeBit,
  magicAt,
} from './batch-header.ts'
import { decompress } from './compression/compression.ts'
import {
  type CompressionType,
  compressionMask,
  compressionTypeOf,
} from './compression/compression-type.ts'
import { crc32 } from './crc32c.ts'
import { CorruptBatchError, UnsupportedFormatError } from './errors.ts'
import { readInt64 } from './int64.ts'
import { LogRecord, RecordSource } from './log-record.ts'
import type { FilePosition, Offset, Timestamp } from './units.ts'

// Grammar of an entry of magic 0 or 1, from Kafka's `LegacyRecord`. Big-endian.
//
//   entry      = offset      int64
//                size        int32     bytes behind this field
//                crc         uint32    CRC-32 (IEEE) of everything behind it
//                magic       int8
//                attributes  int8      bits 0 to 2 codec, bit 3 timestamp type
//                timestamp   int64     magic 1 only
//                keySize     int32     -1 null
//                key
//                valueSize   int32     -1 null
//                value
//
// When it is compressed, the value is a compressed run of entries of the same magic, none of them
// compressed again. The entry's own offset is that of the last of them; their offsets are absolute
// in magic 0, and count from 0 in magic 1.
const crcAt: number = batchOverheadBytes
const attributesAt: number = magicAt + 1
const timestampAt: number = attributesAt + 1
const noTimestamp = -1

/** An entry of magic 0 or 1, the formats before Kafka 0.11: one record, or several compressed. */
export class LegacyBatch implements Batch {
  readonly magic: 0 | 1
  readonly bytes: Buffer
  readonly position: FilePosition
  readonly count: null = null
  readonly leaderEpoch: -1 = -1
  readonly producerId: -1 = -1
  readonly producerEpoch: -1 = -1
  readonly baseSequence: -1 = -1
  readonly lastSequence: -1 = -1
  readonly isTransactional: false = false
  readonly isControl: false = false
  readonly deleteHorizon: null = null

  /**
   * @param bytes exactly one entry
   * @param position where it was read from, for errors
   * @throws {CorruptBatchError} when the header cannot be that of an entry. The checksum is not
   *   checked here.
   */
  constructor(bytes: Buffer, position: FilePosition = 0) {
    this.bytes = bytes
    this.position = position
    const magic = bytes.length < batchPrefixBytes ? undefined : bytes[magicAt]
    if (magic !== 0 && magic !== 1) this.#fail(`its magic is ${magic}, neither 0 nor 1`)
    this.magic = magic
    this.#checkHeader()
  }

  get sizeBytes(): number {
    return this.bytes.length
  }

  get baseOffset(): Offset {
    if (this.compressionType === 'none') return this.lastOffset
    for (const record of this.records()) return record.offset
    return this.lastOffset
  }

  get lastOffset(): Offset {
    return readInt64(this.bytes, baseOffsetAt)
  }

  get nextOffset(): Offset {
    return this.lastOffset + 1
  }

  get compressionType(): CompressionType {
    const id = this.#attributes & compressionMask
    const type = compressionTypeOf(id)
    // zstd came with magic 2; in an older batch its number means as little as 5, 6 and 7.
    if (type !== undefined && type !== 'zstd') return type
    throw new UnsupportedFormatError(
      `the batch of magic ${this.magic} at position ${this.position} has the unknown codec ${id}`,
    )
  }

  get timestampType(): TimestampType {
    if (this.magic === 0) return 'NoTimestampType'
    return (this.#attributes & logAppendTimeBit) === 0 ? 'CreateTime' : 'LogAppendTime'
  }

  get maxTimestamp(): Timestamp {
    return this.magic === 0 ? noTimestamp : readInt64(this.bytes, timestampAt)
  }

  get crc(): number {
    return this.bytes.readUInt32BE(crcAt)
  }

  isChecksumValid(): boolean {
    return this.crc === crc32(this.bytes.subarray(magicAt))
  }

  validate(): void {
    if (!this.isChecksumValid()) this.#fail('its CRC-32 does not match its bytes')
    void this.compressionType
    this.#readFields(this.bytes, 0, this.bytes.length)
  }

  records(options: ReadRecordsOptions = {}): BatchRecords {
    const compressionType = this.compressionType
    const fields = this.#readFields(this.bytes, 0, this.bytes.length)
    if (compressionType === 'none') {
      return new LegacyRecords([
        this.#record(this.bytes, fields, this.lastOffset, this.maxTimestamp),
      ])
    }
    if (fields.valueSize < 0) this.#fail('it is compressed but has no value')
    const compressed = this.bytes.subarray(fields.valueAt, fields.valueAt + fields.valueSize)
    const { maxDecompressedBytes } = options
    const inner = decompress(compressionType, compressed, {
      magic: this.magic,
      position: this.position,
      ...(maxDecompressedBytes !== undefined && { maxBytes: maxDecompressedBytes }),
    })
    return new LegacyRecords(this.#innerRecords(inner))
  }

  get #attributes(): number {
    return this.bytes.readInt8(attributesAt)
  }

  /** Where the key starts: everything in front of it has a fixed size. */
  get #keySizeAt(): number {
    return this.magic === 0 ? timestampAt : timestampAt + 8
  }

  get #sizeMin(): number {
    return this.#keySizeAt + 4 + 4
  }

  #checkHeader(): void {
    const { bytes } = this
    if (bytes.readInt32BE(batchLengthAt) + batchOverheadBytes !== bytes.length) {
      this.#fail('its size field disagrees with the bytes given')
    }
    if (bytes.length < this.#sizeMin) {
      this.#fail(`${bytes.length} bytes are too few for magic ${this.magic}`)
    }
    const offset = this.lastOffset
    if (!(offset >= 0 && Number.isSafeInteger(offset + 1))) {
      this.#fail('its offset is not in 0 … 2^53-2')
    }
    if (!Number.isSafeInteger(this.maxTimestamp)) this.#fail('its timestamp is beyond 2^53-1')
  }

  /** Checks and measures the variable part of the entry from `start` to `end`. */
  #readFields(bytes: Buffer, start: number, end: number): EntryFields {
    const keySizeAt = start + this.#keySizeAt
    const keySize = bytes.readInt32BE(keySizeAt)
    const keyAt = keySizeAt + 4
    const valueSizeAt = keyAt + Math.max(keySize, 0)
    if (keySize < -1 || valueSizeAt + 4 > end) this.#fail(`its key has the size ${keySize}`)
    const valueSize = bytes.readInt32BE(valueSizeAt)
    const valueAt = valueSizeAt + 4
    if (valueSize < -1 || valueAt + Math.max(valueSize, 0) !== end) {
      this.#fail(`its value has the size ${valueSize}`)
    }
    return { keyAt, keySize, valueAt, valueSize }
  }

  #innerRecords(bytes: Buffer): LogRecord[] {
    const entries = this.#readEntries(bytes)
    const last = entries.at(-1)
    if (last === undefined) this.#fail('it is compressed but holds no record')
    // Magic 1 counts the inner offsets from 0, and the last is the one the wrapper knows.
    const shift = this.magic === 0 ? 0 : this.lastOffset - last.offset
    const isAppendTime = this.timestampType === 'LogAppendTime'
    let previous = -1
    return entries.map((entry) => {
      const offset = entry.offset + shift
      if (!(offset > previous && offset <= this.lastOffset)) {
        this.#fail('the offsets inside do not rise to its own')
      }
      previous = offset
      const timestamp = isAppendTime ? this.maxTimestamp : entry.timestamp
      return this.#record(bytes, entry, offset, timestamp)
    })
  }

  #readEntries(bytes: Buffer): InnerEntry[] {
    const entries: InnerEntry[] = []
    let start = 0
    while (start < bytes.length) {
      if (bytes.length - start < this.#sizeMin) this.#fail('the last record inside is cut off')
      const end = start + batchOverheadBytes + bytes.readInt32BE(start + batchLengthAt)
      if (!(end >= start + this.#sizeMin && end <= bytes.length)) {
        this.#fail('a record inside has an impossible size')
      }
      entries.push(this.#readEntry(bytes, start, end))
      start = end
    }
    return entries
  }

  #readEntry(bytes: Buffer, start: number, end: number): InnerEntry {
    if (bytes[start + magicAt] !== this.magic) this.#fail('a record inside has another magic')
    if ((bytes.readInt8(start + attributesAt) & compressionMask) !== 0) {
      this.#fail('a record inside is compressed again')
    }
    const checksum = crc32(bytes.subarray(start + magicAt, end))
    if (bytes.readUInt32BE(start + crcAt) !== checksum) {
      this.#fail('the CRC-32 of a record inside does not match its bytes')
    }
    const offset = readInt64(bytes, start + baseOffsetAt)
    const timestamp = this.magic === 0 ? noTimestamp : readInt64(bytes, start + timestampAt)
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(timestamp)) {
      this.#fail('a record inside has an offset or timestamp beyond 2^53-1')
    }
    return { ...this.#readFields(bytes, start, end), offset, timestamp }
  }

  #record(bytes: Buffer, fields: EntryFields, offset: Offset, timestamp: Timestamp): LogRecord {
    const source = new RecordSource(bytes, this.position, offset, timestamp, -1)
    const { keyAt, keySize, valueAt, valueSize } = fields
    return new LogRecord(source, 0, 0, keyAt, keySize, valueAt, valueSize, 0)
  }

  #fail(reason: string): never {
    throw new CorruptBatchError(reason, this.position)
  }
}

/** They have been decoded already. */
class LegacyRecords implements BatchRecords {
  readonly #records: readonly LogRecord[]

  constructor(records: readonly LogRecord[]) {
    this.#records = records
  }

  [Symbol.iterator](): Iterator<LogRecord> {
    return this.#records[Symbol.iterator]()
  }

  find(offset: Offset): LogRecord | null {
    return this.#records.find((record) => record.offset === offset) ?? null
  }
}

interface EntryFields {
  readonly keyAt: number
  readonly keySize: number
  readonly valueAt: number
  readonly valueSize: number
}

interface InnerEntry extends EntryFields {
  readonly offset: Offset
  readonly timestamp: Timestamp
}

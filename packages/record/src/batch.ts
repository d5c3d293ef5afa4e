import type { CompressionType } from './compression/compression-type.ts'
import type { DecompressionMemory } from './compression/decompression-memory.ts'
import type { LogRecord } from './log-record.ts'
import type { FilePosition, Offset, Timestamp } from './units.ts'

/** Whose clock a batch's timestamps are; magic 0 has none. Kafka's `TimestampType`. */
export type TimestampType = 'CreateTime' | 'LogAppendTime' | 'NoTimestampType'

/** How the records of a batch are to be read. */
export interface ReadRecordsOptions {
  /**
   * More decompressed bytes than this are refused with a DecompressionLimitError.
   *
   * @defaultValue {@link defaultMaxDecompressedBytes}
   */
  readonly maxDecompressedBytes?: number
  /**
   * One object for all records of the batch: each is over when the next one is asked for, and
   * nobody may keep it. For loops over millions of records, where the garbage of one object each
   * would be what they cost. Batches of magic 0 and 1 do not heed it.
   *
   * @defaultValue false
   */
  readonly reuseRecord?: boolean
  /**
   * What a compressed batch is decompressed into: its records are over when the next batch is
   * decompressed there. Batches of magic 0 and 1 do not heed it.
   *
   * @defaultValue fresh memory
   */
  readonly memory?: DecompressionMemory
}

/** The records of one batch, decoded while they are iterated over or looked for. */
export interface BatchRecords extends Iterable<LogRecord> {
  /**
   * The record at an offset; null where the batch has none there. Records before it are stepped
   * over by their sizes, and not checked otherwise.
   *
   * @throws {CorruptBatchError}
   */
  find(offset: Offset): LogRecord | null
}

/**
 * What the batches of magic 0, 1 and 2 have in common: a view of bytes that somebody wrote.
 * Everything but `records()` and `validate()` is read from the header, and nothing is known about
 * the truth of it until `validate()` has passed.
 */
export interface Batch {
  readonly magic: 0 | 1 | 2
  /** Exactly this batch; a view, not a copy. */
  readonly bytes: Buffer
  /** Where the batch was read from, for errors and tools. */
  readonly position: FilePosition
  readonly sizeBytes: number
  /**
   * Offset of the first record as it was first appended. A compressed batch of magic 0 or 1 does
   * not say it in its header: asking for it decompresses the batch, and throws what that throws.
   */
  readonly baseOffset: Offset
  /** Where compaction removed records this can lie behind the last record's offset. */
  readonly lastOffset: Offset
  /** `lastOffset + 1`: where the next batch starts or may start. */
  readonly nextOffset: Offset
  /** Records in the batch; null for magic 0 and 1, whose headers do not say. */
  readonly count: number | null
  /** Epoch of the leader that appended the batch; -1 unknown. */
  readonly leaderEpoch: number
  /** Throws an UnsupportedFormatError when the codec's number is unknown. */
  readonly compressionType: CompressionType
  readonly timestampType: TimestampType
  /** Greatest timestamp of the records; -1 none. */
  readonly maxTimestamp: Timestamp
  /** -1 none. Without a producer id, epoch and sequence mean nothing, whatever they are. */
  readonly producerId: number
  readonly producerEpoch: number
  /** Sequence number of the record at `baseOffset`; -1 none. */
  readonly baseSequence: number
  readonly lastSequence: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  /** When compaction may drop the batch's tombstones and markers; null where it is not set. */
  readonly deleteHorizon: Timestamp | null
  /** The checksum as stored, an unsigned 32-bit integer. */
  readonly crc: number
  isChecksumValid(): boolean
  /**
   * Checks the checksum, the codec's number and the header's fields; does not decode records.
   *
   * @throws {CorruptBatchError}
   * @throws {UnsupportedFormatError} when the codec's number is unknown.
   */
  validate(): void
  /**
   * Decompresses where that is needed, then decodes record by record while they are iterated over,
   * with every check of Kafka's reader: sizes, counts, that no byte is left over, and also that
   * offsets rise within the batch's range. The checksum is not checked: `validate()` does that.
   *
   * @throws {CorruptBatchError} here or while iterating.
   * @throws {UnsupportedFormatError} when the codec's number is unknown.
   * @throws {DecompressionLimitError}
   * @throws {NativeModuleError} when the codec's package cannot be loaded.
   */
  records(options?: ReadRecordsOptions): BatchRecords
}

import { type CompressionType, compressionIdOf } from './compression/compression-type.ts'
import { crc32c } from './crc32c.ts'
import { writeInt64 } from './int64.ts'
import type { Offset, Timestamp } from './units.ts'

// Grammar of a batch of magic 2, from Kafka's `DefaultRecordBatch`. Big-endian, two's complement.
//
//   batch      = baseOffset    int64     not under the CRC: the leader sets it in place
//                batchLength   int32     bytes behind this field
//                leaderEpoch   int32     not under the CRC: the leader sets it in place
//                magic         int8
//                crc           uint32    CRC-32C of everything behind it
//                attributes    int16
//                lastOffsetDelta int32
//                baseTimestamp int64     or the delete horizon, see the attributes
//                maxTimestamp  int64
//                producerId    int64
//                producerEpoch int16
//                baseSequence  int32
//                count         int32
//                records                 one compressed stream of them, or one after the other
//
// Up to and including magic, batches of magic 0 and 1 have the same fields in the same places, but
// for the leader epoch, where they have their CRC.

export const baseOffsetAt = 0
export const batchLengthAt: number = baseOffsetAt + 8
export const leaderEpochAt: number = batchLengthAt + 4
export const magicAt: number = leaderEpochAt + 4
export const crcAt: number = magicAt + 1
export const attributesAt: number = crcAt + 4
export const lastOffsetDeltaAt: number = attributesAt + 2
export const baseTimestampAt: number = lastOffsetDeltaAt + 4
export const maxTimestampAt: number = baseTimestampAt + 8
export const producerIdAt: number = maxTimestampAt + 8
export const producerEpochAt: number = producerIdAt + 8
export const baseSequenceAt: number = producerEpochAt + 2
export const countAt: number = baseSequenceAt + 4
export const recordsAt: number = countAt + 4

/** Bytes of a batch that its size field does not count: the base offset and the field itself. */
export const batchOverheadBytes = 12

/** Bytes that a reader needs before it can tell what kind of batch starts here. */
export const batchPrefixBytes = 17

/** The magic that is written. */
export const currentMagic = 2

/** Attribute bits; those above are unused and written as 0, bits 0 to 2 are the codec's number. */
export const logAppendTimeBit = 0x08
export const transactionalBit = 0x10
export const controlBit = 0x20
export const deleteHorizonBit = 0x40

/** The fields of a header that are not computed from the bytes. */
export interface BatchHeader {
  readonly baseOffset: Offset
  readonly leaderEpoch: number
  readonly compressionType: CompressionType
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly lastOffsetDelta: number
  readonly baseTimestamp: Timestamp
  /** Whether the base timestamp is a delete horizon. */
  readonly hasDeleteHorizon: boolean
  readonly maxTimestamp: Timestamp
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly count: number
}

/** Fills in the header of the batch from `start` to `end`, whose records are in their place. */
export function writeBatchHeader(
  bytes: Buffer,
  start: number,
  end: number,
  header: BatchHeader,
): void {
  const attributes =
    compressionIdOf(header.compressionType) |
    (header.timestampType === 'LogAppendTime' ? logAppendTimeBit : 0) |
    (header.isTransactional ? transactionalBit : 0) |
    (header.isControl ? controlBit : 0) |
    (header.hasDeleteHorizon ? deleteHorizonBit : 0)
  writeInt64(bytes, start + baseOffsetAt, header.baseOffset)
  bytes.writeInt32BE(end - start - batchOverheadBytes, start + batchLengthAt)
  bytes.writeInt32BE(header.leaderEpoch, start + leaderEpochAt)
  bytes.writeInt8(currentMagic, start + magicAt)
  bytes.writeInt16BE(attributes, start + attributesAt)
  bytes.writeInt32BE(header.lastOffsetDelta, start + lastOffsetDeltaAt)
  writeInt64(bytes, start + baseTimestampAt, header.baseTimestamp)
  writeInt64(bytes, start + maxTimestampAt, header.maxTimestamp)
  writeInt64(bytes, start + producerIdAt, header.producerId)
  bytes.writeInt16BE(header.producerEpoch, start + producerEpochAt)
  bytes.writeInt32BE(header.baseSequence, start + baseSequenceAt)
  bytes.writeInt32BE(header.count, start + countAt)
  const checksum = crc32c(bytes.subarray(start + attributesAt, end))
  bytes.writeUInt32BE(checksum, start + crcAt)
}

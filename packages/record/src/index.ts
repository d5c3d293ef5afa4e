/**
 * Apache Kafka's record batch: build it, read it, check it, compress it. Bytes only, no I/O.
 *
 * @example
 * ```ts
 * import { RecordBatchBuilder, readBatches } from '@varve/record'
 *
 * const batch = new RecordBatchBuilder({ compressionType: 'gzip', defaultTimestamp: Date.now() })
 *   .append({ key: 'o-17', value: 'paid' })
 *   .append({ key: 'o-18', value: null, headers: [{ key: 'reason', value: 'cancelled' }] })
 *   .build()
 *
 * for (const read of readBatches(batch.bytes)) {
 *   read.validate()
 *   for (const record of read.records()) {
 *     console.log(record.offset, String(record.key), record.value?.toString())
 *   }
 * }
 * ```
 *
 * @module
 */
export type { Batch, BatchRecords, ReadRecordsOptions, TimestampType } from './batch.ts'
export {
  BatchEncoder,
  type EncodedBatch,
  type FinishOverrides,
} from './batch-encoder.ts'
export { batchOverheadBytes, batchPrefixBytes } from './batch-header.ts'
export type { BatchOptions } from './batch-options.ts'
export { batchSizeAt, readBatchAt, readBatches } from './batch-reader.ts'
export {
  compress,
  type DecompressOptions,
  decompress,
  defaultMaxDecompressedBytes,
} from './compression/compression.ts'
export type { CompressionType } from './compression/compression-type.ts'
export { DecompressionMemory } from './compression/decompression-memory.ts'
export {
  type ControlType,
  controlTypeOf,
  type EndTransactionMarker,
  type EndTransactionMarkerOptions,
  endTransactionMarkerBatch,
  readEndTransactionMarker,
} from './control-record.ts'
export { crc32c } from './crc32c.ts'
export { emptyBatchOf } from './empty-batch.ts'
export {
  CorruptBatchError,
  DecompressionLimitError,
  InvalidArgumentError,
  NativeModuleError,
  UnsupportedFormatError,
  VarveError,
} from './errors.ts'
export { LegacyBatch } from './legacy-batch.ts'
export { LogRecord, type RecordHeader } from './log-record.ts'
export { MovingBatch } from './moving-batch.ts'
export { RecordBatch } from './record-batch.ts'
export { RecordBatchBuilder, type RecordBatchBuilderOptions } from './record-batch-builder.ts'
export type { CheckedRecords } from './record-check.ts'
export type { RecordHeaderInput, RecordInput } from './record-input.ts'
export { decrementSequence, incrementSequence } from './sequence.ts'
export type { FilePosition, Offset, Timestamp } from './units.ts'

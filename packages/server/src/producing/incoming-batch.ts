import type { ResolvedTopicSettings } from '@varve/broker'
import { type CompressionType, RecordBatch, type Timestamp, VarveError } from '@varve/record'
import type { CheckedBatches } from '../base/server-options.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import { checkedRecords } from './checked-records.ts'
import { compressedAs } from './recompression.ts'
import { checkKeys, checkTimestamps } from './record-rules.ts'
import { RefusedBatchError } from './refused-batch-error.ts'

/** Of a batch: where its size field ends, and where its magic is. */
const batchOverheadBytes = 12
const magicAt = 16

/** What a batch has to fit. */
export interface BatchRules {
  /** Of the Produce request. */
  readonly version: number
  readonly settings: ResolvedTopicSettings
  readonly now: Timestamp
  readonly checkRecords: CheckedBatches
}

/**
 * The one batch that a producer has sent for a partition, as it is to be appended: checked by the
 * rules of Kafka's LogValidator that are not the log's own, stamped with the time where the topic
 * says so, and in the topic's compression. Mostly these are the bytes as they came.
 *
 * Throws RefusedBatchError, and other errors of Varve's.
 */
export function incomingBatch(records: Buffer | null, rules: BatchRules): RecordBatch {
  const { settings, now } = rules
  const batch = onlyBatch(records, rules.version)
  checkHeader(batch, rules)
  checkNumbers(batch)
  const { cleanupPolicy, messageTimestampType, compressionType } = settings
  const isCompacted = cleanupPolicy.includes('compact')
  const needed = neededCodec(batch, compressionType)
  const isLookedInto =
    needed !== null ||
    isCompacted ||
    (settings.messageTimestampBeforeMaxMs >= 0 && messageTimestampType !== 'LogAppendTime')
  const checked = isLookedInto || isChecked(batch, rules) ? checkedRecords(batch) : null
  if (isCompacted && checked?.keyless !== 0) checkKeys(batch)
  checkTimestamps(batch, checked, settings, now)
  const appended = needed === null ? batch : compressedAs(batch, needed)
  if (messageTimestampType === 'LogAppendTime') {
    if (!appended.isChecksumValid()) batch.validate()
    appended.stampLogAppendTime(now)
  }
  return appended
}

function onlyBatch(records: Buffer | null, version: number): RecordBatch {
  const { INVALID_RECORD } = errorCodes
  if (records === null || records.length <= magicAt) {
    throw new RefusedBatchError(INVALID_RECORD, 'there must be a record batch for each partition')
  }
  if (records[magicAt] !== 2) {
    const reason = `Produce version ${version} takes record batches of magic 2 only`
    throw new RefusedBatchError(INVALID_RECORD, reason)
  }
  const sizeBytes = records.readInt32BE(batchOverheadBytes - 4) + batchOverheadBytes
  if (sizeBytes < records.length && sizeBytes > 0) {
    const reason = 'there must be exactly one record batch for each partition'
    throw new RefusedBatchError(INVALID_RECORD, reason)
  }
  return new RecordBatch(records)
}

function checkHeader(batch: RecordBatch, { version, settings }: BatchRules): void {
  const { INVALID_RECORD, INVALID_TIMESTAMP, MESSAGE_TOO_LARGE } = errorCodes
  if (batch.sizeBytes > settings.maxMessageBytes) {
    const reason = `the batch has ${batch.sizeBytes} bytes, more than ${settings.maxMessageBytes}`
    throw new RefusedBatchError(MESSAGE_TOO_LARGE, reason)
  }
  if (codecOf(batch) === 'zstd' && version < 7) {
    const { UNSUPPORTED_COMPRESSION_TYPE } = errorCodes
    const reason = `Produce version ${version} does not take zstd`
    throw new RefusedBatchError(UNSUPPORTED_COMPRESSION_TYPE, reason)
  }
  if (batch.baseOffset !== 0) {
    const reason = `the base offset of a batch must be 0; it is ${batch.baseOffset}`
    throw new RefusedBatchError(INVALID_RECORD, reason)
  }
  if (batch.isControl) {
    const reason = 'clients do not write control records'
    throw new RefusedBatchError(INVALID_RECORD, reason)
  }
  if (batch.isTransactional && batch.producerId < 0) {
    const reason = 'a transactional batch needs a producer id'
    throw new RefusedBatchError(INVALID_RECORD, reason)
  }
  if (batch.timestampType === 'LogAppendTime') {
    const reason = 'producers do not set the timestamp type to LogAppendTime'
    throw new RefusedBatchError(INVALID_TIMESTAMP, reason)
  }
}

/** What the header says of offsets and sequences, as Kafka's LogValidator has it. */
function checkNumbers(batch: RecordBatch): void {
  const { INVALID_RECORD } = errorCodes
  const { count, producerId, baseSequence } = batch
  const offsets = batch.lastOffset - batch.baseOffset + 1
  if (count <= 0 || offsets !== count) {
    batch.validate()
    const reason = `the batch says that it has ${count} records on ${offsets} offsets`
    throw new RefusedBatchError(INVALID_RECORD, reason)
  }
  if (producerId < 0 || baseSequence >= 0) return
  batch.validate()
  const reason = `a batch of producer ${producerId} needs a sequence; it is ${baseSequence}`
  throw new RefusedBatchError(INVALID_RECORD, reason)
}

function isChecked({ compressionType }: RecordBatch, { checkRecords }: BatchRules): boolean {
  return checkRecords === 'all' || (checkRecords === 'uncompressed' && compressionType === 'none')
}

function codecOf(batch: RecordBatch): CompressionType {
  try {
    return batch.compressionType
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    throw new RefusedBatchError(errorCodes.UNSUPPORTED_COMPRESSION_TYPE, error.message)
  }
}

/** The codec that the topic wants, where the batch has another one. */
function neededCodec(
  batch: RecordBatch,
  wanted: ResolvedTopicSettings['compressionType'],
): CompressionType | null {
  if (wanted === 'producer') return null
  const codec = wanted === 'uncompressed' ? 'none' : wanted
  return batch.compressionType === codec ? null : codec
}

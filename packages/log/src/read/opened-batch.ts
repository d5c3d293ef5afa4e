import { type BatchRecords, type Offset, RecordBatch } from '@varve/record'
import type { BatchStretch, FoundBatch } from './batch-search.ts'

/** A batch that was found, checked, and made ready for its records to be looked for. */
export interface OpenedBatch {
  readonly batch: RecordBatch
  readonly baseOffset: Offset
  readonly lastOffset: Offset
  readonly isVerified: boolean
  readonly records: BatchRecords
  /** What its records take beside the batch: where it is compressed, their bytes. */
  readonly decompressedBytes: number
}

/** @throws {CorruptBatchError} and what decompressing throws */
export function openBatch(
  { bytes, position }: BatchStretch,
  { start, end, lastOffset }: FoundBatch,
  checks: { readonly verifyChecksums?: boolean; readonly isVerified?: boolean },
): OpenedBatch {
  const { verifyChecksums = false, isVerified = verifyChecksums } = checks
  const batch = new RecordBatch(bytes.subarray(start, end), position + start)
  if (verifyChecksums) batch.validate()
  const records = batch.records()
  const isCompressed = batch.compressionType !== 'none'
  const decompressedBytes = isCompressed ? sizeOf(records) : 0
  return {
    batch,
    baseOffset: batch.baseOffset,
    lastOffset,
    isVerified,
    records,
    decompressedBytes,
  }
}

function sizeOf(records: BatchRecords): number {
  for (const record of records) return record.bytes.length
  return 0
}

import {
  type Batch,
  type Offset,
  RecordBatch,
  RecordBatchBuilder,
  readBatches,
} from '@varve/record'
import { RestoreRefusedError } from './restore-errors.ts'

/**
 * A run of whole batches without the records at `end` and beyond. A batch that lies on both sides
 * is written anew, with the same offsets, times, producer and codec.
 *
 * Throws RestoreRefusedError for a batch of magic 0 or 1 that would have to be cut.
 */
export function cutBatches(content: Buffer, end: Offset): Buffer {
  let bytes = 0
  for (const batch of readBatches(content)) {
    if (batch.baseOffset >= end) return content.subarray(0, bytes)
    if (batch.nextOffset > end) {
      const cut = cutBatch(batch, end)
      return Buffer.concat([content.subarray(0, bytes), cut])
    }
    bytes += batch.sizeBytes
  }
  return content
}

function cutBatch(batch: Batch, end: Offset): Uint8Array {
  if (!(batch instanceof RecordBatch)) {
    throw new RestoreRefusedError(
      `offset ${end} lies within a batch of the old format ${batch.magic}, which is not cut`,
      `restore to ${batch.baseOffset} or ${batch.nextOffset}`,
    )
  }
  const { baseOffset, timestampType } = batch
  const builder = new RecordBatchBuilder({
    baseOffset,
    compressionType: batch.compressionType,
    leaderEpoch: batch.leaderEpoch,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    deleteHorizon: batch.deleteHorizon,
    ...(timestampType === 'LogAppendTime' && { timestampType }),
  })
  for (const record of batch.records()) {
    if (record.offset >= end) break
    const { key, value, headers, timestamp } = record
    builder.append({ key, value, headers, timestamp }, record.offset - baseOffset)
  }
  return builder.build({ lastOffsetDelta: end - 1 - baseOffset }).bytes
}

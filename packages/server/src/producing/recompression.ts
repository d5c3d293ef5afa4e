import { type CompressionType, type RecordBatch, RecordBatchBuilder } from '@varve/record'

/** The same records in another codec; what the producer says of the batch stays. */
export function compressedAs(batch: RecordBatch, compressionType: CompressionType): RecordBatch {
  const { producerId, producerEpoch, baseSequence, isTransactional, maxTimestamp } = batch
  const builder = new RecordBatchBuilder({
    ...{ compressionType, producerId, producerEpoch, baseSequence, isTransactional },
  })
  for (const { key, value, headers, timestamp } of batch.records()) {
    builder.append({ key, value, headers, timestamp })
  }
  return builder.build({ maxTimestamp })
}

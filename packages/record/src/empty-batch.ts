import { recordsAt, writeBatchHeader } from './batch-header.ts'
import { RecordBatch } from './record-batch.ts'

/**
 * The header that compaction leaves of a batch when no record of it survives: offsets, leader
 * epoch, producer and sequence, type and greatest timestamp stay, so that neither the log's end nor
 * the producer's last sequence is lost. Kafka's `DefaultRecordBatch.writeEmptyHeader`.
 */
export function emptyBatchOf(batch: RecordBatch): RecordBatch {
  const bytes = Buffer.alloc(recordsAt)
  writeBatchHeader(bytes, 0, recordsAt, {
    baseOffset: batch.baseOffset,
    leaderEpoch: batch.leaderEpoch,
    compressionType: 'none',
    timestampType: batch.timestampType === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime',
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    lastOffsetDelta: batch.lastOffset - batch.baseOffset,
    baseTimestamp: -1,
    hasDeleteHorizon: false,
    maxTimestamp: batch.maxTimestamp,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    count: 0,
  })
  return new RecordBatch(bytes)
}

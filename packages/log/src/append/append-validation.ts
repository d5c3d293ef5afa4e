import { InvalidArgumentError, RecordBatch } from '@varve/record'
import { BatchTooLargeError, InvalidBatchError } from '../base/log-errors.ts'
import type { ResolvedLogOptions } from '../base/log-options.ts'
import type { AppendOrigin } from './append-queue.ts'

/**
 * What a leader asks of a batch that a producer hands in (Kafka's LogValidator): right in itself,
 * not too large, dense, and made of records unless a coordinator sends it. The checksum of a batch
 * that was built in this process is not computed a second time: that would take as long as writing.
 */
export function validateAppend(
  batch: RecordBatch,
  origin: AppendOrigin,
  options: ResolvedLogOptions,
): void {
  if (!(batch instanceof RecordBatch)) {
    throw new InvalidArgumentError('batch', batch, 'must be a RecordBatch')
  }
  if (origin !== 'client' && origin !== 'coordinator') {
    throw new InvalidArgumentError('origin', origin, 'must be client or coordinator')
  }
  if (batch.sizeBytes > options.maxMessageBytes) {
    throw new BatchTooLargeError(batch.sizeBytes, 'maxMessageBytes', options.maxMessageBytes)
  }
  if (batch.sizeBytes > options.segmentBytes) {
    throw new BatchTooLargeError(batch.sizeBytes, 'segmentBytes', options.segmentBytes)
  }
  if (!batch.isBuilt) batch.validate()
  if (batch.count <= 0) throw new InvalidBatchError('the batch holds no records')
  if (batch.lastOffset - batch.baseOffset + 1 !== batch.count) {
    const span = batch.lastOffset - batch.baseOffset + 1
    throw new InvalidBatchError(`the batch spans ${span} offsets but holds ${batch.count} records`)
  }
  if (batch.isControl && origin !== 'coordinator') {
    throw new InvalidBatchError('only a transaction coordinator may append control batches')
  }
}

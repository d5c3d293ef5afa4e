import {
  type CheckedRecords,
  CorruptBatchError,
  DecompressionLimitError,
  DecompressionMemory,
  type RecordBatch,
} from '@varve/record'
import { errorCodes } from '../protocol/error-codes.ts'
import { RefusedBatchError } from './refused-batch-error.ts'

/** Larger batches are rare, and decompressed into memory of their own. */
const keptBytesMax = 4 * 2 ** 20
/** One for all: records are checked in a single synchronous step. */
const memory = new DecompressionMemory(keptBytesMax)

/**
 * Looks at the records of a batch: whoever reads them later must be able to. The greatest timestamp
 * in its header becomes that of its records, as with Kafka, since searches by time go by it.
 *
 * Throws RefusedBatchError, CorruptBatchError for a checksum, and errors of codecs.
 */
export function checkedRecords(batch: RecordBatch): CheckedRecords {
  const checked = check(batch)
  if (checked.maxTimestamp !== batch.maxTimestamp) {
    batch.validate()
    batch.stampMaxTimestamp(checked.maxTimestamp)
  }
  return checked
}

function check(batch: RecordBatch): CheckedRecords {
  try {
    return batch.checkRecords({ memory })
  } catch (error) {
    const isItsFault =
      error instanceof CorruptBatchError || error instanceof DecompressionLimitError
    // What was damaged on the way is sent again; what was sent like this would be sent for ever.
    if (isItsFault) batch.validate()
    if (!(error instanceof CorruptBatchError)) throw error
    throw new RefusedBatchError(errorCodes.INVALID_RECORD, error.reason)
  }
}

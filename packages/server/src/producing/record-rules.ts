import type { ResolvedTopicSettings } from '@varve/broker'
import type { CheckedRecords, LogRecord, RecordBatch, Timestamp } from '@varve/record'
import { errorCodes } from '../protocol/error-codes.ts'
import { type RecordProblem, RefusedBatchError } from './refused-batch-error.ts'

/** A batch may have a million bad records; this many tell enough. */
const problemsMax = 100

/** Every record of a topic that is compacted needs a key. */
export function checkKeys(batch: RecordBatch): void {
  const message = 'a topic that is compacted takes no record without a key'
  const problems = problemsOf(batch, (record) => (record.key === null ? message : null))
  if (problems.length === 0) return
  throw new RefusedBatchError(errorCodes.INVALID_RECORD, message, problems)
}

/**
 * The producer's time of records must not be further in the past or the future than the topic
 * allows. Records are looked at one by one only where something is wrong, or may be.
 *
 * @param checked what they say together; null where they were not looked at
 */
export function checkTimestamps(
  batch: RecordBatch,
  checked: CheckedRecords | null,
  settings: ResolvedTopicSettings,
  now: Timestamp,
): void {
  const { messageTimestampBeforeMaxMs, messageTimestampAfterMaxMs } = settings
  if (settings.messageTimestampType === 'LogAppendTime') return
  const latest =
    messageTimestampAfterMaxMs < 0 ? Number.MAX_SAFE_INTEGER : now + messageTimestampAfterMaxMs
  const earliest =
    messageTimestampBeforeMaxMs < 0 ? Number.MIN_SAFE_INTEGER : now - messageTimestampBeforeMaxMs
  const isLateSuspected = (checked?.maxTimestamp ?? batch.maxTimestamp) > latest
  const isEarlySuspected = checked === null ? false : checked.minTimestamp < earliest
  if (!isLateSuspected && !isEarlySuspected) return
  batch.validate()
  const problems = problemsOf(batch, ({ timestamp }) => {
    if (timestamp === -1 || (timestamp <= latest && timestamp >= earliest)) return null
    return `its timestamp ${timestamp} is not between ${earliest} and ${latest}`
  })
  if (problems.length === 0 && !isLateSuspected) return
  const reason = `timestamps must be from ${earliest} to ${latest}`
  throw new RefusedBatchError(errorCodes.INVALID_TIMESTAMP, reason, problems)
}

function problemsOf(
  batch: RecordBatch,
  problemOf: (record: LogRecord) => string | null,
): readonly RecordProblem[] {
  const problems: RecordProblem[] = []
  let batchIndex = 0
  for (const record of batch.records({ reuseRecord: true })) {
    const problem = problemOf(record)
    if (problem !== null) problems.push({ batchIndex, batchIndexErrorMessage: problem })
    if (problems.length >= problemsMax) break
    batchIndex++
  }
  return problems
}

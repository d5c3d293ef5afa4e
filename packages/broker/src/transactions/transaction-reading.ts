import type { Log } from '@varve/log'
import type { Logger } from '../base/logger.ts'
import {
  decodeTransactionKey,
  decodeTransactionValue,
  type TransactionRecord,
} from './transaction-records.ts'

/** What a record of `__transaction_state` says of an id; null: that it is forgotten. */
export interface ReadTransactionRecord {
  readonly id: string
  readonly record: TransactionRecord | null
}

/** What a log of `__transaction_state` says, in order. What cannot be read is told and skipped. */
export async function* transactionRecords(
  log: Log,
  logger: Logger,
): AsyncGenerator<ReadTransactionRecord, void, undefined> {
  for await (const { key, value, offset } of log.reader({ from: log.logStartOffset }).records()) {
    try {
      const id = key === null ? null : decodeTransactionKey(key)
      if (id === null) continue
      const record = value === null ? null : decodeTransactionValue(value)
      if (record !== null || value === null) yield { id, record }
      else logger.warn({ log: log.name, offset }, 'skipped a record of a version that is not known')
    } catch (error) {
      logger.warn({ err: error, log: log.name, offset }, 'skipped a record')
    }
  }
}

import { type Batch, RecordBatchBuilder } from '@varve/record'
import { expect, test } from 'vitest'
import { decidedProducers } from '../../src/backup/decided-producers.ts'
import {
  encodeTransactionKey,
  encodeTransactionValue,
  type TransactionStatus,
} from '../../src/transactions/transaction-records.ts'

/** States in the order of the log: a transactional id, its producer, a status or none. */
function logOf(states: ReadonlyArray<readonly [string, number, TransactionStatus | null]>): Batch {
  const builder = new RecordBatchBuilder()
  for (const [id, producerId, status] of states) {
    const value =
      status &&
      encodeTransactionValue({
        ...{ producerId, previousProducerId: -1, producerEpoch: 0, timeoutMs: 1000, status },
        ...{ partitions: [], lastUpdateMs: 1, startMs: 1 },
      })
    builder.append({ key: encodeTransactionKey(id), value })
  }
  return builder.append({ key: null, value: null }).build()
}

test('producers of which the last word is a decision are decided, and no others', async () => {
  const log = logOf([
    ['a', 1, 'ongoing'],
    ['a', 1, 'prepareCommit'],
    ['b', 2, 'prepareAbort'],
    ['c', 3, 'prepareCommit'],
    ['c', 3, 'completeCommit'],
    ['d', 4, 'prepareCommit'],
    ['d', 4, 'ongoing'],
    ['e', 5, 'prepareAbort'],
    ['e', 5, null],
  ])
  const asked: string[] = []
  const found = await decidedProducers(async function* (topic) {
    asked.push(topic)
    yield log
  })
  expect([...found].sort()).toEqual([1, 2])
  expect(asked).toEqual(['__transaction_state'])
})

import { expect, test } from 'vitest'
import { silentLogger } from '../../src/base/logger.ts'
import { transactionRecords } from '../../src/transactions/transaction-reading.ts'
import {
  encodeTransactionKey,
  encodeTransactionValue,
  type TransactionRecord,
} from '../../src/transactions/transaction-records.ts'
import { newMachine, openTopics } from '../broker-fixture.ts'

const record: TransactionRecord = {
  producerId: 7,
  previousProducerId: -1,
  producerEpoch: 2,
  timeoutMs: 60_000,
  status: 'empty',
  partitions: [],
  lastUpdateMs: 5,
  startMs: -1,
}

test('records come in order, tombstones as null; what cannot be read is told and skipped', async () => {
  await using topics = await openTopics(newMachine())
  const { log } = (await topics.create('t', 1, {})).partition(0)
  const a = encodeTransactionKey('a')
  const b = encodeTransactionKey('b')
  await log.append([{ value: 'without a key' }])
  await log.append([{ key: a, value: encodeTransactionValue(record) }])
  await log.append([{ key: 'x', value: 'rotten' }])
  await log.append([{ key: b, value: 'rotten' }])
  await log.append([{ key: a, value: null }])
  const told: object[] = []
  const logger = { ...silentLogger, warn: (fields: object) => void told.push(fields) }
  const found: unknown[] = []
  for await (const each of transactionRecords(log, logger)) found.push(each)
  expect(found).toEqual([
    { id: 'a', record },
    { id: 'a', record: null },
  ])
  expect(told).toMatchObject([{ offset: 2 }, { offset: 3 }])
})

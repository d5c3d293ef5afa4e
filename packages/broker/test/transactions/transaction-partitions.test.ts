import { expect, test } from 'vitest'
import { silentLogger } from '../../src/base/logger.ts'
import {
  flushPartitions,
  markPartition,
  openTransactionsOf,
} from '../../src/transactions/transaction-partitions.ts'
import { newMachine, valuesOf } from '../broker-fixture.ts'
import { openTransactions } from './transaction-fixture.ts'

test('a partition is told once, of a transaction that logs know to be open', async () => {
  await using opened = await openTransactions(newMachine())
  const { topics } = opened
  await topics.create('t', 2, {})
  const place = { topic: 't', partition: 1 }
  const { log } = topics.topic('t').partition(1)
  const transaction = await opened.producer('p').begin()
  await transaction.send('t', { value: 'a' }, { partition: 1 })
  const open = [...openTransactionsOf(topics, () => true, silentLogger)]
  expect(open).toMatchObject([place])
  expect([...openTransactionsOf(topics, () => false, silentLogger)]).toEqual([])
  const { producerId = -1 } = open[0] ?? {}
  const decision = { type: 'commit', producerId, producerEpoch: 1, timestamp: 5 } as const
  await markPartition(topics, place, decision)
  expect([...openTransactionsOf(topics, () => true, silentLogger)]).toEqual([])
  const end = log.logEndOffset
  await markPartition(topics, place, { ...decision, producerEpoch: 0 })
  expect(log.logEndOffset).toBe(end)
  expect(await valuesOf(log, 'committed')).toEqual(['a'])
})

test('a partition that is gone needs to be told nothing, nor flushed', async () => {
  await using opened = await openTransactions(newMachine())
  const { topics } = opened
  await topics.create('t', 1, {})
  const decision = { type: 'abort', producerId: 1, producerEpoch: 0, timestamp: 5 } as const
  for (const place of [
    { topic: 'none', partition: 0 },
    { topic: 't', partition: 1 },
  ]) {
    await markPartition(topics, place, decision)
    await flushPartitions(topics, [place])
  }
  expect(topics.topic('t').partition(0).log.logEndOffset).toBe(0)
})

import { partsOf } from '@varve/broker/serving'
import { expect, test } from 'vitest'
import { RefusedBatchError } from '../../src/producing/refused-batch-error.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import {
  checkTransactionalAppend,
  type TransactionalPlace,
} from '../../src/transactions/transactional-append.ts'
import { TransactionServer } from './transaction-server.ts'

test('a batch may go where its producer has a transaction, and nowhere else', async () => {
  await using started = await TransactionServer.start()
  const parts = partsOf(started.server.varve)
  if (parts === null) throw new Error('an open directory has parts')
  const producer = started.producer('p')
  await producer.init()
  await producer.addPartitions('t', [0])
  const codeOf = (batch = producer, changes: Partial<TransactionalPlace> = {}): number => {
    const { transactionalId } = batch
    const place = { topic: 't', partition: 0, version: 9, transactionalId, ...changes }
    try {
      checkTransactionalAppend({ parts }, batch, place)
      return 0
    } catch (error) {
      expect(error).toBeInstanceOf(RefusedBatchError)
      return error instanceof RefusedBatchError ? error.kafkaErrorCode : -1
    }
  }
  const { INVALID_TXN_STATE, TRANSACTION_ABORTABLE, INVALID_PRODUCER_ID_MAPPING } = errorCodes
  expect(codeOf()).toBe(0)
  expect(codeOf(producer, { transactionalId: null })).toBe(
    errorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  )
  expect(codeOf(producer, { partition: 1, version: 10 })).toBe(INVALID_TXN_STATE)
  expect(codeOf(producer, { partition: 1, version: 11 })).toBe(TRANSACTION_ABORTABLE)
  expect(codeOf(started.producer('unknown'))).toBe(INVALID_PRODUCER_ID_MAPPING)
  const { producerId, producerEpoch } = producer
  const ending = parts.coordinator.end('p', { producerId, producerEpoch }, 'commit')
  await null
  expect(codeOf()).toBe(errorCodes.NOT_ENOUGH_REPLICAS)
  await ending
  expect(codeOf()).toBe(INVALID_TXN_STATE)
  const zombie = Object.assign(started.producer('p'), { producerId, producerEpoch })
  await producer.init()
  expect(codeOf(zombie)).toBe(errorCodes.INVALID_PRODUCER_EPOCH)
  zombie.producerId += 1
  expect(codeOf(zombie)).toBe(INVALID_PRODUCER_ID_MAPPING)
})

test('a transactional batch comes in through Produce, where it belongs', async () => {
  await using started = await TransactionServer.start()
  const producer = started.producer('p')
  await producer.init()
  const log = started.server.varve.log('t', 0)
  expect(await producer.send('t', 0, 'early', 0)).toBe(errorCodes.TRANSACTION_ABORTABLE)
  expect(log.logEndOffset).toBe(0)
  await producer.addPartitions('t', [0])
  expect(await producer.send('t', 0, 'a', 0)).toBe(0)
  expect(log.lastStableOffset).toBe(0)
  expect(await producer.end(true)).toBe(0)
  expect(log.lastStableOffset).toBe(2)
})

test('what is sent in a transaction is durable when it is acknowledged, whatever acks says', async () => {
  await using started = await TransactionServer.start()
  const producer = started.producer('p')
  await producer.init()
  await producer.addPartitions('t', [0])
  expect(await producer.send('t', 0, 'a', 0, 1)).toBe(0)
  expect(started.server.varve.log('t', 0).flushedOffset).toBe(1)
})

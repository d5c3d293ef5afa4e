import { afterEach, beforeEach, expect, test } from 'vitest'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { TransactionServer } from '../transactions/transaction-server.ts'

let started: TransactionServer

beforeEach(async () => {
  started = await TransactionServer.start()
})

afterEach(() => started[Symbol.asyncDispose]())

test('a transaction that ended can be ended again the same way, and not the other way', async () => {
  const one = started.producer('p')
  await one.init()
  expect(await one.end(true)).toBe(errorCodes.INVALID_TXN_STATE)
  expect(await one.end(false)).toBe(errorCodes.INVALID_TXN_STATE)
  for (const committed of [true, false]) {
    await one.addPartitions('t', [0])
    expect(await one.end(committed)).toBe(0)
    expect(await one.end(committed)).toBe(0)
    expect(await one.end(!committed)).toBe(errorCodes.INVALID_TXN_STATE)
  }
})

test('a transaction of a producer that has gone is aborted by the next one, and after its time', async () => {
  const one = started.producer('p')
  await one.init()
  await one.addPartitions('t', [0])
  const newer = started.producer('p')
  expect(await newer.init()).toBe(0)
  expect(newer.producerEpoch).toBe(2)
  expect(await newer.end(true)).toBe(errorCodes.INVALID_TXN_STATE)
  await newer.init(1)
  await newer.addPartitions('t', [1])
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(await newer.end(true)).toBe(errorCodes.PRODUCER_FENCED)
})

test('an id is one thing for those in the process and those over the wire', async () => {
  await using embedded = started.server.varve.producer({ transactionalId: 'p' })
  const transaction = await embedded.begin()
  await transaction.send('t', { value: '1' }, { partition: 0 })
  const one = started.producer('p')
  expect(await one.init()).toBe(0)
  expect(one.producerEpoch).toBe(2)
  await expect(transaction.commit()).rejects.toThrow('a newer one has begun')
  await using later = started.server.varve.producer({ transactionalId: 'p' })
  await later.begin()
  expect(await one.addPartitions('t', [0])).toEqual([errorCodes.PRODUCER_FENCED])
})

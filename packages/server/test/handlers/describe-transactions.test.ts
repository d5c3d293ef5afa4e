import { afterEach, beforeEach, expect, test } from 'vitest'
import { describeTransactions } from '../../src/protocol/apis/describe-transactions.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { TransactionServer } from '../transactions/transaction-server.ts'

let started: TransactionServer

beforeEach(async () => {
  started = await TransactionServer.start()
})

afterEach(() => started[Symbol.asyncDispose]())

test('transactional ids are described, each id with its partitions', async () => {
  const one = started.producer('p')
  await one.init(5_000)
  await one.addPartitions('t', [1, 0])
  const request = { transactionalIds: ['p', 'none', '', 'p'] }
  const { transactionStates } = await started.client.call(describeTransactions, 0, request)
  expect(transactionStates).toHaveLength(3)
  const [known, none, empty] = transactionStates
  expect(known).toMatchObject({
    ...{ errorCode: 0, transactionalId: 'p', transactionState: 'Ongoing' },
    ...{ transactionTimeoutMs: 5_000, producerId: one.producerId, producerEpoch: 0 },
    topics: [{ topic: 't', partitions: [1, 0] }],
  })
  expect(none?.errorCode).toBe(errorCodes.TRANSACTIONAL_ID_NOT_FOUND)
  expect(empty?.errorCode).toBe(errorCodes.INVALID_REQUEST)
})

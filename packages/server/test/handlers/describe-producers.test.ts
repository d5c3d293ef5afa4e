import { afterEach, beforeEach, expect, test } from 'vitest'
import { describeProducers } from '../../src/protocol/apis/describe-producers.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { TransactionServer } from '../transactions/transaction-server.ts'

let started: TransactionServer

beforeEach(async () => {
  started = await TransactionServer.start()
})

afterEach(() => started[Symbol.asyncDispose]())

test('it is told what is known of the producers of a partition', async () => {
  const one = started.producer('p')
  await one.init()
  await using embedded = started.server.varve.producer({ transactionalId: 'embedded' })
  const transaction = await embedded.begin()
  await transaction.send('t', { value: '1' }, { partition: 1 })
  const topics = [{ name: 't', partitionIndexes: [1, 1, 5] }]
  const answer = await started.client.call(describeProducers, 0, { topics })
  expect(answer.topics[0]?.partitions).toMatchObject([
    {
      ...{ partitionIndex: 1, errorCode: 0 },
      activeProducers: [{ producerEpoch: 0, lastSequence: 0, currentTxnStartOffset: 0 }],
    },
    { partitionIndex: 5, errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION, activeProducers: [] },
  ])
})

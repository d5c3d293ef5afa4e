import { afterEach, beforeEach, expect, test } from 'vitest'
import { listTransactions } from '../../src/protocol/apis/list-transactions.ts'
import { TransactionServer } from '../transactions/transaction-server.ts'

let started: TransactionServer

beforeEach(async () => {
  started = await TransactionServer.start()
})

afterEach(() => started[Symbol.asyncDispose]())

test('transactional ids are listed by state, producer and age', async () => {
  const [open, ended] = [started.producer('open'), started.producer('ended')]
  for (const one of [open, ended]) {
    await one.init()
    await one.addPartitions('t', [0])
  }
  await ended.end(false)
  const list = async (filters: object, version = 1) => {
    const none = { stateFilters: [], producerIdFilters: [] }
    const answer = await started.client.call(listTransactions, version, { ...none, ...filters })
    expect(answer.errorCode).toBe(0)
    return answer
  }
  const idsOf = async (filters: object) =>
    (await list(filters)).transactionStates.map(({ transactionalId }) => transactionalId)
  expect((await list({}, 0)).transactionStates).toEqual([
    { transactionalId: 'open', producerId: open.producerId, transactionState: 'Ongoing' },
    { transactionalId: 'ended', producerId: ended.producerId, transactionState: 'CompleteAbort' },
  ])
  expect(await idsOf({ stateFilters: ['Ongoing', 'Odd'] })).toEqual(['open'])
  expect((await list({ stateFilters: ['Odd'] })).unknownStateFilters).toEqual(['Odd'])
  expect(await idsOf({ producerIdFilters: [ended.producerId] })).toEqual(['ended'])
  expect(await idsOf({ durationFilter: 3_600_000, stateFilters: ['Ongoing'] })).toEqual([])
})

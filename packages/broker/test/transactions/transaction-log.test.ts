import { expect, test } from 'vitest'
import { silentLogger } from '../../src/base/logger.ts'
import { TransactionLog } from '../../src/transactions/transaction-log.ts'
import { TransactionState } from '../../src/transactions/transaction-state.ts'
import { newMachine, openTopics } from '../broker-fixture.ts'

test('the log of transactions is made with its first record, and says what was written', async () => {
  const machine = newMachine()
  const topics = await openTopics(machine)
  const log = new TransactionLog(topics, machine.clock, silentLogger)
  const read = async () => {
    const found: [string, string | null][] = []
    for await (const { id, record } of log.records()) found.push([id, record?.status ?? null])
    return found
  }
  expect(await read()).toEqual([])
  expect(topics.all).toEqual([])
  const state = new TransactionState('p')
  state.producerId = 4
  await log.write('p', state.record(), 'flushed')
  await log.write('q', { ...state.record(), status: 'ongoing' }, 'written')
  await log.forget('p')
  expect(await read()).toEqual([
    ['p', 'empty'],
    ['q', 'ongoing'],
    ['p', null],
  ])
  await topics.close()
})

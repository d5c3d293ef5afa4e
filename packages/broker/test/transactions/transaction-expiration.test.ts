import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { transactionsTopic } from '../../src/base/topic-names.ts'
import type { DirectoryVarve } from '../../src/directory-varve.ts'
import {
  defaultTransactionalIdExpirationMs,
  expirationCheckIntervalMs,
  isIdExpired,
} from '../../src/transactions/transaction-expiration.ts'
import { transactionStatuses } from '../../src/transactions/transaction-records.ts'
import { TransactionState } from '../../src/transactions/transaction-state.ts'
import { errorOf, newMachine, openOn, turns, valuesOf } from '../broker-fixture.ts'

async function send(varve: DirectoryVarve, id: string, value: string): Promise<void> {
  await using producer = varve.producer({ transactionalId: id })
  const transaction = await producer.begin()
  await transaction.send('t', { value })
  await transaction.commit()
}

/** Which ids the topic of transactions still knows. */
async function idsKnown(varve: DirectoryVarve): Promise<readonly string[]> {
  const known = new Map<string, boolean>()
  const log = varve.log(transactionsTopic, 0)
  for await (const { key, value } of log.reader({ from: log.logStartOffset }).records()) {
    known.set(String(key?.subarray(4)), value !== null)
  }
  return [...known].filter(([, isThere]) => isThere).map(([id]) => id)
}

test('only what is over, unused and old enough expires', () => {
  const state = new TransactionState('id')
  expect(isIdExpired(state, 1000, 1000)).toBe(false)
  state.producerId = 7
  state.lastUpdateMs = 1000
  const expired = transactionStatuses.filter((status) => {
    state.status = status
    expect(isIdExpired(state, 1999, 1000)).toBe(false)
    return isIdExpired(state, 2000, 1000)
  })
  expect(expired).toEqual(['empty', 'completeCommit', 'completeAbort'])
  state.status = 'empty'
  state.session = { identity: { producerId: 7, producerEpoch: 0 }, fenced: () => undefined }
  expect(isIdExpired(state, 2000, 1000)).toBe(false)
})

test('ids and names that nobody uses are forgotten after seven days, those in use are not', async () => {
  const machine = newMachine()
  await using varve = await openOn(machine, { cleaning: false })
  await varve.createTopic('t')
  await send(varve, 'transactional', 'a')
  {
    await using named = varve.producer({ name: 'named' })
    await named.send('t', { value: 'b' })
  }
  await using used = varve.producer({ name: 'in use' })
  await used.send('t', { value: 'c' })
  await using open = varve.producer({ transactionalId: 'open' })
  await open.begin()
  await turns()
  const days = defaultTransactionalIdExpirationMs / expirationCheckIntervalMs
  for (let hour = 1; hour < days; hour++) machine.clock.advance(expirationCheckIntervalMs)
  await turns()
  expect(await idsKnown(varve)).toEqual(['transactional', 'named', 'in use', 'open'])
  machine.clock.advance(expirationCheckIntervalMs)
  await turns()
  machine.clock.advance(expirationCheckIntervalMs)
  await turns()
  expect(await idsKnown(varve)).toEqual(['in use', 'open'])
  await used.send('t', { value: 'd' })
  await send(varve, 'transactional', 'e')
  expect(await valuesOf(varve.log('t', 0), 'committed')).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('an id that is opened while it expires is opened, and knows nothing of before', async () => {
  const machine = newMachine()
  await using varve = await openOn(machine, { transactionalIdExpirationMs: 1000 })
  await varve.createTopic('t')
  await send(varve, 'id', 'a')
  machine.clock.advance(expirationCheckIntervalMs)
  await Promise.all([
    send(varve, 'id', 'b'),
    varve.producer({ name: 'n' }).send('t', { value: 'c' }),
  ])
  await turns()
  expect(await idsKnown(varve)).toEqual(['id', 'n'])
  await send(varve, 'id', 'd')
  const values = await valuesOf(varve.log('t', 0), 'committed')
  expect(values.toSorted()).toEqual(['a', 'b', 'c', 'd'])
})

test('a time that means nothing is refused', async () => {
  for (const transactionalIdExpirationMs of [0, -1, 1.5, Number.NaN]) {
    await errorOf(openOn(newMachine(), { transactionalIdExpirationMs }), InvalidArgumentError)
  }
})

test('wherever the power fails while ids expire, each is there or gone, and can be used', async () => {
  const machine = newMachine()
  const options = { transactionalIdExpirationMs: 1000, cleaning: false } as const
  {
    await using varve = await openOn(machine, options)
    await varve.createTopic('t')
    for (const id of ['x', 'y']) await send(varve, id, id)
  }
  const varve = await openOn(machine, options)
  const before = machine.fs.operations
  machine.clock.advance(expirationCheckIntervalMs)
  await turns()
  await send(varve, 'x', 'again')
  const after = machine.fs.operations
  expect(await idsKnown(varve)).toEqual(['x'])
  for (let at = before; at <= after; at++) {
    const crashed = newMachine(machine.fs.crashState(at, 'none'))
    await using recovered = await openOn(crashed, options)
    const known = await idsKnown(recovered)
    expect([['x', 'y'], ['y'], ['x'], []]).toContainEqual(known.toSorted())
    for (const id of ['x', 'y']) await send(recovered, id, 'new')
    const values = await valuesOf(recovered.log('t', 0), 'committed')
    expect(values.filter((value) => value !== 'again')).toEqual(['x', 'y', 'new', 'new'])
  }
  await varve.close()
})

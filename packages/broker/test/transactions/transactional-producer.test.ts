import { LogOfflineError } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  ClosedError,
  ProducerFencedError,
  TopicNotFoundError,
} from '../../src/base/broker-errors.ts'
import {
  TransactionEndedError,
  TransactionFailedError,
  TransactionPendingError,
} from '../../src/transactions/transaction-errors.ts'
import { decodeTransactionValue } from '../../src/transactions/transaction-records.ts'
import { errorOf, type Machine, newMachine, valuesOf } from '../broker-fixture.ts'
import { openTransactions, type Transactions } from './transaction-fixture.ts'

let machine: Machine
let opened: Transactions

beforeEach(async () => {
  machine = newMachine()
  opened = await openTransactions(machine)
  for (const name of ['a', 'b']) await opened.topics.create(name, 2, {})
})

afterEach(() => opened.close())

const logOf = (topic: string, partition = 0) => opened.topics.topic(topic).partition(partition).log
const committed = (topic: string, partition = 0) => valuesOf(logOf(topic, partition), 'committed')

async function reopen(): Promise<void> {
  const { fs } = machine
  const crashed = newMachine(fs.crashState(fs.operations, 'none'))
  await opened.close().catch(() => undefined)
  machine = crashed
  opened = await openTransactions(crashed)
}

async function statuses(): Promise<readonly string[]> {
  const found: string[] = []
  const { log } = opened.topics.topic('__transaction_state').partition(0)
  await log.flush()
  for await (const { value } of log.reader({ from: 0 }).records()) {
    found.push(value === null ? 'tombstone' : (decodeTransactionValue(value)?.status ?? 'unknown'))
  }
  return found
}

describe('a transaction', () => {
  test('counts in all of its partitions once it is committed, and not before', async () => {
    const producer = opened.producer('p')
    const transaction = await producer.begin()
    await transaction.send('a', { value: '1' }, { partition: 0 })
    await transaction.send('b', [{ value: '2' }, { value: '3' }], { partition: 1 })
    await transaction.sendOffsets('g', [{ topic: 'a', partition: 0, offset: 17 }])
    expect(await committed('a')).toEqual([])
    expect(await opened.committed('g', 'a')).toBeNull()
    await transaction.commit()
    expect(await committed('a')).toEqual(['1'])
    expect(await committed('b', 1)).toEqual(['2', '3'])
    expect(await opened.committed('g', 'a')).toBe(17)
    expect(logOf('a').lastStableOffset).toBe(2)
    expect(await statuses()).toEqual([
      'empty',
      'ongoing',
      'ongoing',
      'ongoing',
      'prepareCommit',
      'completeCommit',
    ])
    await producer.close()
  })

  test('counts nowhere when it is aborted, by its program or by an error', async () => {
    const producer = opened.producer('p')
    const transaction = await producer.begin()
    await transaction.send('a', { value: '1' }, { partition: 0 })
    await transaction.sendOffsets('g', [{ topic: 'a', partition: 0, offset: 17 }])
    await transaction.abort()
    const failing = producer.transaction(async (tx) => {
      await tx.send('a', { value: '2' }, { partition: 0 })
      throw new Error('mine')
    })
    await expect(failing).rejects.toThrow('mine')
    const result = await producer.transaction(async (tx) => {
      await tx.send('a', { value: '3' }, { partition: 0 })
      return 5
    })
    expect(result).toBe(5)
    expect(await committed('a')).toEqual(['3'])
    expect(await valuesOf(logOf('a'))).toEqual(
      ['1', '2', '3'].flatMap((value) => [value, expect.anything()]),
    )
    expect(await opened.committed('g', 'a')).toBeNull()
    await producer.close()
  })

  test('with nothing in it costs nothing', async () => {
    const producer = opened.producer('p')
    await producer.transaction(async () => undefined)
    expect(await statuses()).toEqual(['empty'])
    await producer.close()
  })

  test('that is left open is aborted with its scope, and with its producer', async () => {
    const producer = opened.producer('p')
    {
      await using transaction = await producer.begin()
      await transaction.send('a', { value: '1' }, { partition: 0 })
    }
    const open = await producer.begin()
    await open.send('a', { value: '2' }, { partition: 0 })
    await producer.close()
    expect(await committed('a')).toEqual([])
    expect(logOf('a').lastStableOffset).toBe(4)
    await errorOf(open.send('a', { value: '3' }), ClosedError)
    await errorOf(producer.begin(), ClosedError)
  })

  test('is one at a time, and takes nothing after its end', async () => {
    const producer = opened.producer('p')
    const first = await producer.begin()
    await errorOf(producer.begin(), InvalidArgumentError)
    await first.commit()
    await errorOf(first.send('a', { value: '1' }), TransactionEndedError)
    await errorOf(first.commit(), TransactionEndedError)
    const second = await producer.begin()
    await errorOf(first.send('a', { value: '1' }), TransactionEndedError)
    await second.abort()
    await producer.close()
  })

  test('in which something did not arrive can only be aborted', async () => {
    const producer = opened.producer('p')
    const transaction = await producer.begin()
    await transaction.send('a', { value: '1' }, { partition: 0 })
    await errorOf(transaction.send('none', { value: '2' }), TopicNotFoundError)
    const error = await errorOf(transaction.commit(), TransactionFailedError)
    expect(error.cause).toBeInstanceOf(TopicNotFoundError)
    await transaction.abort()
    await producer.transaction(async (tx) => void (await tx.send('a', { value: '3' })))
    expect([...(await committed('a')), ...(await committed('a', 1))]).toEqual(['3'])
    await producer.close()
  })

  test('of an older instance is aborted when a newer begins, and the older fenced', async () => {
    const older = opened.producer('p')
    const transaction = await older.begin()
    await transaction.send('a', { value: '1' }, { partition: 0 })
    const newer = opened.producer('p')
    await newer.transaction(
      async (tx) => void (await tx.send('a', { value: '2' }, { partition: 0 })),
    )
    await errorOf(transaction.send('a', { value: '3' }), ProducerFencedError)
    await errorOf(transaction.commit(), ProducerFencedError)
    await errorOf(older.begin(), ProducerFencedError)
    expect(await committed('a')).toEqual(['2'])
    await older.close()
    await newer.transaction(
      async (tx) => void (await tx.send('a', { value: '4' }, { partition: 0 })),
    )
    expect(await committed('a')).toEqual(['2', '4'])
    await newer.close()
  })

  test('that takes too long is aborted, and its producer fenced', async () => {
    const producer = opened.producer('p', { transactionTimeoutMs: 1000 })
    const transaction = await producer.begin()
    await transaction.send('a', { value: '1' }, { partition: 0 })
    machine.clock.advance(999)
    await transaction.send('a', { value: '2' }, { partition: 0 })
    machine.clock.advance(1)
    await errorOf(transaction.commit(), ProducerFencedError)
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(logOf('a').lastStableOffset).toBe(3)
    expect(await committed('a')).toEqual([])
    const next = opened.producer('p')
    await next.transaction(
      async (tx) => void (await tx.send('a', { value: '3' }, { partition: 0 })),
    )
    expect(await committed('a')).toEqual(['3'])
    await next.close()
  })

  test('is aborted after its time-out although that could not be noted then', async () => {
    const producer = opened.producer('p', { transactionTimeoutMs: 1000 })
    const transaction = await producer.begin()
    await transaction.send('a', { value: '1' }, { partition: 0 })
    const turns = async () => {
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    machine.fs.injectFault({ kind: 'ENOSPC', after: 0, isLasting: true })
    machine.clock.advance(1000)
    await turns()
    expect(logOf('__transaction_state').isFailed).toBe(true)
    machine.fs.clearFaults()
    await opened.topics.directory.reopenLog('__transaction_state', 0)
    machine.clock.advance(10_000)
    await turns()
    expect(logOf('a').lastStableOffset).toBe(2)
    expect(await committed('a')).toEqual([])
    await producer.close().catch(() => undefined)
  })

  test('left open by a crash is aborted when its producer comes back', async () => {
    const transaction = await opened.producer('p').begin()
    await transaction.send('a', { value: '1' }, { partition: 0 })
    await logOf('a').flush()
    await reopen()
    expect(logOf('a').lastStableOffset).toBe(0)
    const producer = opened.producer('p')
    await producer.start()
    expect(logOf('a').lastStableOffset).toBe(2)
    expect(await committed('a')).toEqual([])
    await producer.transaction(
      async (tx) => void (await tx.send('a', { value: '2' }, { partition: 0 })),
    )
    expect(await committed('a')).toEqual(['2'])
    await producer.close()
  })

  test('left open by a crash is aborted when its time-out has passed', async () => {
    const transaction = await opened.producer('p').begin()
    await transaction.send('a', { value: '1' }, { partition: 0 })
    await logOf('a').flush()
    await reopen()
    machine.clock.advance(60_000)
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(logOf('a').lastStableOffset).toBe(2)
    expect(await committed('a')).toEqual([])
  })

  test('is decided although a partition cannot be told, which is told when it can be', async () => {
    const producer = opened.producer('p')
    const transaction = await producer.begin()
    await transaction.send('a', { value: '1' }, { partition: 0 })
    await transaction.send('b', { value: '2' }, { partition: 0 })
    await Promise.all([logOf('a').flush(), logOf('b').flush()])
    // From the decision on, appends to b fail.
    const { log } = opened.topics.topic('b').partition(0)
    const append = log.appendBatch.bind(log)
    log.appendBatch = (batch, options) =>
      batch.isControl
        ? Promise.reject(new LogOfflineError('b-0', 'writing', 'test'))
        : append(batch, options)
    const error = await errorOf(transaction.commit(), TransactionPendingError)
    expect(error.outcome).toBe('commit')
    expect(await committed('a')).toEqual(['1'])
    expect(await committed('b')).toEqual([])
    log.appendBatch = append
    machine.clock.advance(1000)
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(await committed('b')).toEqual(['2'])
    await producer.transaction(
      async (tx) => void (await tx.send('a', { value: '3' }, { partition: 0 })),
    )
    expect(await committed('a')).toEqual(['1', '3'])
    await producer.close()
  })

  test('cannot be committed when a log was opened again under it', async () => {
    const producer = opened.producer('p')
    const transaction = await producer.begin()
    await transaction.send('a', { value: '1' }, { partition: 0 })
    await opened.topics.directory.reopenLog('a', 0)
    await errorOf(transaction.commit(), TransactionFailedError)
    await transaction.abort()
    await producer.close()
    expect(await committed('a')).toEqual([])
  })

  test('goes on with a new producer id when the epochs of one are used up', async () => {
    let { producerId } = await opened.coordinator.open('p', 1000, () => undefined)
    const first = producerId
    const state = opened.topics.topic('__transaction_state').partition(0).log
    // As if it had been opened 32,765 times more.
    const { batches } = await state.read({ from: state.logEndOffset - 1 })
    const [record] = batches[0]?.records() ?? []
    const value = Buffer.from(record?.value ?? [])
    value.writeInt16BE(2 ** 15 - 2, 10)
    await state.append({ key: record?.key ?? null, value })
    await reopen()
    const identity = await opened.coordinator.open('p', 1000, () => undefined)
    producerId = identity.producerId
    expect(producerId).not.toBe(first)
    expect(identity.producerEpoch).toBe(0)
    expect(await statuses()).toEqual(['empty', 'empty', 'empty'])
  })

  test.each([
    { transactionalId: '' },
    { transactionalId: 5 },
    { transactionTimeoutMs: 0 },
    { transactionTimeoutMs: 900_001 },
  ])('is refused with the options %o', (options) => {
    expect(() => opened.producer('p', options as never)).toThrow(InvalidArgumentError)
  })
})

import { expect, test } from 'vitest'
import { Transaction } from '../../src/transactions/transaction.ts'
import { TransactionState } from '../../src/transactions/transaction-state.ts'

test('what is known of a transactional id is what its last record says', () => {
  const state = new TransactionState('p')
  state.add({ topic: 'old', partition: 0 })
  const record = {
    producerId: 5,
    previousProducerId: -1,
    producerEpoch: 2,
    timeoutMs: 1000,
    status: 'prepareCommit',
    partitions: [{ topic: 't', partition: 1 }],
    lastUpdateMs: 9,
    startMs: 8,
  } as const
  state.load(record)
  state.add({ topic: 't', partition: 1 })
  expect(state.record()).toEqual(record)
  expect(state.isPrepared).toBe(true)
})

test('what concerns one id runs one after the other, failures too', async () => {
  const state = new TransactionState('p')
  const order: string[] = []
  const step = (name: string, fails = false) =>
    state.exclusively(async () => {
      order.push(`${name} begins`)
      await new Promise((resolve) => setImmediate(resolve))
      order.push(`${name} ends`)
      if (fails) throw new Error(name)
    })
  const first = step('a', true).catch(() => undefined)
  await Promise.all([first, step('b')])
  await state.settled()
  expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
})

test('a transaction is aborted with its scope, unless it was ended before', async () => {
  const ends: string[] = []
  let fails = false
  const work = {
    send: () => Promise.reject(new Error('not here')),
    sendOffsets: async () => undefined,
    end: async (outcome: string) => {
      ends.push(outcome)
      if (fails && outcome === 'commit') throw new Error('no')
    },
  }
  {
    await using transaction = new Transaction(work)
    await transaction.commit()
  }
  expect(ends.splice(0)).toEqual(['commit'])
  {
    await using transaction = new Transaction(work)
    void transaction
  }
  expect(ends.splice(0)).toEqual(['abort'])
  fails = true
  {
    await using transaction = new Transaction(work)
    await expect(transaction.commit()).rejects.toThrow('no')
  }
  expect(ends).toEqual(['commit', 'abort'])
})

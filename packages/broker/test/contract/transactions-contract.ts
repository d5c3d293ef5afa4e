import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { ProducerFencedError } from '../../src/base/broker-errors.ts'
import { TransactionEndedError } from '../../src/transactions/transaction-errors.ts'
import { errorOf } from '../broker-fixture.ts'
import { fresh, type Home, numbered, take, valuesIn, withVarve } from './contract-home.ts'

/** What is committed is decided; on a cluster its partitions hear of it a moment later. */
const polling = { timeout: 10_000, interval: 20 }

export function describeTransactions(home: Home): void {
  test('a transaction counts in all partitions or in none', async () => {
    await withVarve(home, async (varve) => {
      const topic = fresh('moved')
      await varve.createTopic(topic, { partitions: 3 })
      const producer = varve.producer({ transactionalId: fresh('mover') })
      await producer.transaction(async (tx) => {
        for (const partition of [0, 1, 2]) await tx.send(topic, { value: 'yes' }, { partition })
      })
      const refused = producer.transaction(async (tx) => {
        for (const partition of [0, 1]) await tx.send(topic, { value: 'no' }, { partition })
        throw new RangeError('changed its mind')
      })
      await errorOf(refused, RangeError)
      const open = await producer.begin()
      await open.send(topic, [{ value: 'maybe' }, { value: 'perhaps' }], { partition: 0 })
      await expect.poll(() => valuesIn(varve, topic), polling).toEqual([['yes'], ['yes'], ['yes']])
      const all = await valuesIn(varve, topic, 'uncommitted')
      expect(all).toEqual([['yes', 'no', 'maybe', 'perhaps'], ['yes', 'no'], ['yes']])
      await open.commit()
      await expect
        .poll(() => valuesIn(varve, topic), polling)
        .toEqual([['yes', 'maybe', 'perhaps'], ['yes'], ['yes']])
      await errorOf(open.send(topic, { value: 'late' }), TransactionEndedError)
    })
  })

  test('transactions follow each other at once, and an empty one is nothing', async () => {
    await withVarve(home, async (varve) => {
      const topic = fresh('row')
      await varve.createTopic(topic)
      const producer = varve.producer({ transactionalId: fresh('row') })
      await producer.transaction(async () => undefined)
      for (const value of numbered(10)) {
        await producer.transaction((tx) => tx.send(topic, { value }))
      }
      const second = await producer.begin()
      await errorOf(producer.begin(), InvalidArgumentError)
      await second.abort()
      await expect.poll(() => valuesIn(varve, topic), polling).toEqual([numbered(10)])
    })
  })

  test('consumed offsets count with what was made of them', async () => {
    await withVarve(home, async (varve) => {
      const [from, to, group] = [fresh('from'), fresh('to'), fresh('billing')]
      await varve.createTopic(from)
      await varve.createTopic(to)
      const source = varve.producer()
      for (const value of numbered(4)) await source.send(from, { value })
      const consumer = varve.consumer({ group, topics: [from] })
      const producer = varve.producer({ transactionalId: fresh('billing') })
      for (const outcome of ['commit', 'abort', 'commit'] as const) {
        const { value: record } = await consumer.next()
        if (record === undefined) throw new Error('there are four records')
        const tx = await producer.begin()
        await tx.send(to, { value: `${String(record.value)} ${outcome}` })
        await tx.sendOffsets(consumer, [{ topic: from, partition: 0, offset: record.offset + 1 }])
        await tx[outcome]()
        const expected = outcome === 'abort' ? record.offset : record.offset + 1
        const groups = await varve.groups()
        const committed = async () => (await groups.describe(group)).offsets
        await expect
          .poll(committed, polling)
          .toMatchObject([{ topic: from, partition: 0, offset: expected }])
      }
      await expect.poll(() => valuesIn(varve, to), polling).toEqual([['v0 commit', 'v2 commit']])
      await consumer.close()
      const next = varve.consumer({ group, topics: [from] })
      expect(await take(next, 1)).toEqual(['v3'])
      const byName = await producer.begin()
      await next.close()
      await byName.sendOffsets(group, [{ topic: from, partition: 0, offset: 1 }])
      await byName.commit()
      expect(await take(varve.consumer({ group, topics: [from] }), 1)).toEqual(['v1'])
    })
  })

  test('the newest of a transactional id aborts what is left, and fences others', async () => {
    const topic = fresh('fenced')
    const transactionalId = fresh('one')
    await withVarve(home, async (varve) => {
      await varve.createTopic(topic)
      const older = varve.producer({ transactionalId })
      const left = await older.begin()
      await left.send(topic, { value: 'left' })
      const newer = varve.producer({ transactionalId })
      await newer.transaction((tx) => tx.send(topic, { value: 'new' }))
      await errorOf(left.commit(), ProducerFencedError)
      await expect.poll(() => valuesIn(varve, topic), polling).toEqual([['new']])
    })
  })

  test('what is left open when everything is closed is aborted', async () => {
    const topic = fresh('left')
    await withVarve(home, async (varve) => {
      await varve.createTopic(topic)
      const tx = await varve.producer({ transactionalId: fresh('left') }).begin()
      await tx.send(topic, { value: 'left' })
    })
    await withVarve(home, async (varve) => {
      await varve.producer().send(topic, { value: 'after' })
      await expect.poll(() => valuesIn(varve, topic), polling).toEqual([['after']])
    })
  })
}

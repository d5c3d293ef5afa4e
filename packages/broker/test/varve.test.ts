import { LogLockedError, LogOfflineError } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { InvalidArgumentError } from '@varve/record'
import { describe, expect, test } from 'vitest'
import { ClosedError, ProducerFencedError, TopicNotFoundError } from '../src/base/broker-errors.ts'
import { openVarve } from '../src/open-varve.ts'
import { errorOf, newMachine, openOn, takeValues, valuesOf } from './broker-fixture.ts'

describe('a data directory', () => {
  test('on a real disk does what the first page of the documentation says', async () => {
    using directory = makeTemporaryDirectory()
    const path = `${directory.path}/data`
    {
      await using varve = await openVarve(path)
      await varve.createTopic('orders', { partitions: 3, cleanupPolicy: ['compact'] })
      const producer = varve.producer({ compression: 'lz4' })
      const sent = await producer.send('orders', { key: 'o-17', value: JSON.stringify({ a: 1 }) })
      expect(sent).toMatchObject({ partition: 2, offset: 0 })
      const consumer = varve.consumer({ group: 'billing', topics: ['orders'] })
      for await (const record of consumer) {
        expect(String(record.key)).toBe('o-17')
        await consumer.commit(record)
        break
      }
      await errorOf(openVarve(path), LogLockedError)
    }
    await using again = await openVarve(path)
    expect(await again.listTopics()).toEqual(['orders'])
    expect(await again.listTopics({ internal: true })).toContain('__consumer_offsets')
    await again.producer().send('orders', { key: 'o-17', value: 'next' })
    const consumer = again.consumer({ group: 'billing', topics: ['orders'] })
    expect(await takeValues(consumer, 1)).toEqual(['next'])
  })

  test('has no more producers, consumers and queues from the moment it is being closed', async () => {
    const varve = await openOn(newMachine())
    const closing = varve.close()
    expect(() => varve.producer()).toThrow(ClosedError)
    expect(() => varve.consumer({ topics: ['t'] })).toThrow(ClosedError)
    await errorOf(varve.queue('mail'), ClosedError)
    await closing
    await errorOf(varve.queue('mail'), ClosedError)
  })

  test('makes, changes, describes and deletes topics', async () => {
    await using varve = await openOn(newMachine(), { topicDefaults: { retentionMs: 5 } })
    const made = await varve.createTopic('a', { partitions: 2, segmentBytes: 1000 })
    expect(made.settings).toMatchObject({ retentionMs: 5, segmentBytes: 1000 })
    expect((await varve.alterTopic('a', { segmentBytes: 2000 })).settings.segmentBytes).toBe(2000)
    expect((await varve.addPartitions('a', 3)).partitions).toHaveLength(3)
    expect(await varve.describeTopic('a')).toMatchObject({
      topicId: made.topicId,
      isInternal: false,
    })
    expect(varve.log('a', 2).options.segmentBytes).toBe(2000)
    await varve.deleteTopic('a')
    await errorOf(varve.describeTopic('a'), TopicNotFoundError)
    expect(() => varve.log('a', 0)).toThrow(TopicNotFoundError)
  })

  test('gives logs the options that are meant for all of them', async () => {
    const log = { acks: 'written', queueBytesMax: 12345 } as const
    await using varve = await openOn(newMachine(), { log })
    await varve.createTopic('a', { flushMs: 7 })
    await varve.alterTopic('a', { segmentBytes: 5000 })
    expect(varve.log('a', 0).options).toMatchObject({ ...log, flushMs: 7, segmentBytes: 5000 })
  })

  test('gives a named producer the same id after a crash, and fences the one before', async () => {
    const machine = newMachine()
    const varve = await openOn(machine)
    await varve.createTopic('a')
    const older = varve.producer({ name: 'reader' })
    await older.send('a', { key: 'k', value: '1' }, { sourceOffset: 1 })
    const newer = varve.producer({ name: 'reader' })
    await newer.start()
    await errorOf(older.send('a', { value: '2' }), ProducerFencedError)
    await newer.send('a', { key: 'k', value: '1' }, { sourceOffset: 1 })
    await newer.send('a', { key: 'k', value: '2' }, { sourceOffset: 2 })
    const crashed = newMachine(machine.fs.crashState(machine.fs.operations, 'none'))
    await varve.close()
    await using again = await openOn(crashed)
    const next = again.producer({ name: 'reader' })
    expect(await next.lastSourceOffset('a', 0)).toBe(2)
    await next.send('a', { key: 'k', value: '2' }, { sourceOffset: 2 })
    await next.send('a', { key: 'k', value: '3' }, { sourceOffset: 3 })
    expect(await valuesOf(again.log('a', 0))).toEqual(['1', '2', '3'])
    const identities = new Set<string>()
    for await (const { producerId, producerEpoch } of again.log('a', 0).reader({ from: 0 })) {
      identities.add(`${producerId} ${producerEpoch}`)
    }
    expect([...identities]).toEqual(['0 0', '0 1', '0 2'])
  })

  test('gives producers without a name ids that nobody had before, over any crash', async () => {
    const machine = newMachine()
    const varve = await openOn(machine)
    await varve.createTopic('a')
    const first = varve.producer()
    await first.send('a', { value: '1' })
    await varve.producer().send('a', { value: '2' })
    const crashed = newMachine(machine.fs.crashState(machine.fs.operations, 'none'))
    await varve.close()
    await using again = await openOn(crashed)
    await again.producer().send('a', { value: '3' })
    const ids = again
      .log('a', 0)
      .producers()
      .map(({ producerId }) => producerId)
    expect(new Set(ids).size).toBe(3)
  })

  test('reopens a partition whose storage has failed', async () => {
    const machine = newMachine()
    await using varve = await openOn(machine)
    await varve.createTopic('a')
    const producer = varve.producer()
    await producer.send('a', { value: '1' })
    machine.fs.injectFault({ kind: 'EIO', isLasting: true })
    await errorOf(producer.send('a', { value: '2' }), LogOfflineError)
    machine.fs.clearFaults()
    await varve.reopenPartition('a', 0)
    await producer.send('a', { value: '3' })
    await errorOf(varve.reopenPartition('a', 1), TopicNotFoundError)
  })

  test('closes what uses it, in time for what was sent to be kept', async () => {
    const machine = newMachine()
    const varve = await openOn(machine)
    await varve.createTopic('a')
    const producer = varve.producer({ lingerMs: 1000 })
    const sent = producer.send('a', { value: 'last' })
    await varve.close()
    expect((await sent).offset).toBe(0)
    await errorOf(producer.send('a', { value: 'late' }), ClosedError)
    expect(machine.fs.openFiles()).toEqual([])
    await varve.close()
  })

  test.each([{ name: '' }, { name: 5 }, { name: 'a', idempotent: false }])(
    'refuses a producer with %o',
    async (options) => {
      await using varve = await openOn(newMachine())
      expect(() => varve.producer(options as never)).toThrow(InvalidArgumentError)
    },
  )

  test('that cannot be opened keeps no lock', async () => {
    const machine = newMachine()
    await errorOf(openOn(machine, { topicDefaults: { retentionMs: -2 } }), InvalidArgumentError)
    expect(machine.fs.openFiles()).toEqual([])
    await (await openOn(machine)).close()
  })
})

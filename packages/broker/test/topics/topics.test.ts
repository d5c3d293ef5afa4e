import { LogDirectory } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'
import { describe, expect, test } from 'vitest'
import {
  ClosedError,
  CorruptCatalogueError,
  InvalidTopicError,
  TopicExistsError,
  TopicNotFoundError,
} from '../../src/base/broker-errors.ts'
import { catalogueFileName } from '../../src/topics/catalogue-file.ts'
import type { Topic } from '../../src/topics/topic.ts'
import type { TopicEvent } from '../../src/topics/topics.ts'
import { dataPath, errorOf, newMachine, openTopics, turns } from '../broker-fixture.ts'

const noSettings = {}

describe('topics', () => {
  test('are made with their partitions and settings, and are there after a restart', async () => {
    const machine = newMachine()
    const topics = await openTopics(machine, { topicDefaults: { retentionMs: 77 } })
    const made = await topics.create('orders', 3, { cleanupPolicy: 'compact', segmentBytes: 1000 })
    expect(made.partitions.map(({ name }) => name)).toEqual(['orders-0', 'orders-1', 'orders-2'])
    expect(made.partition(2).log.options.segmentBytes).toBe(1000)
    await made.partition(1).log.append({ value: 'x' })
    const before = made.describe()
    expect(before).toMatchObject({
      name: 'orders',
      isInternal: false,
      settings: { cleanupPolicy: ['compact'], segmentBytes: 1000, retentionMs: 77 },
    })
    expect(before.partitions[1]).toMatchObject({ highWatermark: 1, segments: 1, error: null })
    await topics.close()

    const again = await openTopics(machine, { topicDefaults: { retentionMs: 77 } })
    expect(again.topic('orders').describe()).toEqual(before)
    expect(again.topic('orders').partition(0).log.options.segmentBytes).toBe(1000)
    const metadata = machine.fs.bytesOf(`${dataPath}/orders-2/partition.metadata`).toString()
    expect(metadata).toBe(`version: 0\ntopic_id: ${before.topicId}`)
    await again.close()
  })

  test('are refused under names that collide, exist, are internal or are none', async () => {
    const topics = await openTopics(newMachine())
    await topics.create('a.b', 1, noSettings)
    await errorOf(topics.create('a.b', 1, noSettings), TopicExistsError)
    await errorOf(topics.create('a_b', 1, noSettings), InvalidTopicError)
    await errorOf(topics.create('__consumer_offsets', 1, noSettings), InvalidTopicError)
    await errorOf(topics.create('../etc', 1, noSettings), InvalidTopicError)
    for (const partitions of [0, -1, 1.5, Number.NaN]) {
      await errorOf(topics.create('c', partitions, noSettings), InvalidArgumentError)
    }
    const lags = { minCompactionLagMs: 5, maxCompactionLagMs: 4 }
    await errorOf(topics.create('c', 1, lags), InvalidArgumentError)
    expect(topics.all.map(({ name }) => name)).toEqual(['a.b'])
    await topics.close()
  })

  test('made at the same time under one name are one', async () => {
    const topics = await openTopics(newMachine())
    const results = await Promise.allSettled([
      topics.create('a', 2, noSettings),
      topics.create('a', 3, noSettings),
      topics.create('a_', 1, noSettings),
      topics.create('a.', 1, noSettings),
    ])
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
    ])
    await topics.close()
  })

  test('have other settings when they are altered, at once and later', async () => {
    const machine = newMachine()
    const topics = await openTopics(machine)
    await topics.create('a', 2, { retentionMs: 5, segmentBytes: 5000 })
    await topics.alter('a', { retentionMs: null, segmentBytes: 4000, flushMs: 9 })
    const check = (topic: Topic): void => {
      expect(topic.settings).toMatchObject({ retentionMs: 604_800_000, segmentBytes: 4000 })
      for (const { log } of topic.partitions) {
        expect(log.options).toMatchObject({ segmentBytes: 4000, flushMs: 9 })
      }
    }
    check(topics.topic('a'))
    await errorOf(topics.alter('a', { segmentBytes: 1 }), InvalidArgumentError)
    await errorOf(topics.alter('b', { segmentBytes: 1000 }), TopicNotFoundError)
    check(topics.topic('a'))
    await topics.close()
    const again = await openTopics(machine)
    check(again.topic('a'))
    await again.close()
  })

  test('get more partitions, never fewer', async () => {
    const machine = newMachine()
    const topics = await openTopics(machine)
    const { topicId } = await topics.create('a', 1, { segmentBytes: 999 })
    const grown = await topics.grow('a', 4)
    expect(grown.partition(3).log.options.segmentBytes).toBe(999)
    await errorOf(topics.grow('a', 4), InvalidArgumentError)
    await errorOf(topics.grow('a', 3), InvalidArgumentError)
    expect(() => grown.partition(4)).toThrow(TopicNotFoundError)
    await topics.close()
    const again = await openTopics(machine)
    expect(again.topic('a').describe()).toMatchObject({ topicId, partitions: { length: 4 } })
    await again.close()
  })

  test('are gone when they are deleted, and can be made anew with another id', async () => {
    const machine = newMachine()
    const topics = await openTopics(machine)
    const old = await topics.create('a', 2, { retentionMs: 5 })
    await old.partition(0).log.append({ value: 'x' })
    await topics.delete('a')
    expect(() => topics.topic('a')).toThrow(TopicNotFoundError)
    const partition = old.partitions[0]
    expect(() => partition?.log).toThrow(TopicNotFoundError)
    expect(
      machine.fs
        .list(dataPath)
        .filter((name) => name.startsWith('a-') && !name.endsWith('-delete')),
    ).toEqual([])
    await errorOf(topics.delete('a'), TopicNotFoundError)
    const anew = await topics.create('a', 1, noSettings)
    expect(anew.topicId).not.toBe(old.topicId)
    expect(anew.partition(0).log.logEndOffset).toBe(0)
    expect(anew.settings.retentionMs).toBe(604_800_000)
    await topics.close()
  })

  test('tell who watches them of every change', async () => {
    const topics = await openTopics(newMachine())
    const seen: Array<readonly [string, TopicEvent]> = []
    const end = topics.watch(({ name }, event) => void seen.push([name, event]))
    await topics.create('a', 1, noSettings)
    await topics.grow('a', 2)
    await topics.delete('a')
    end()
    await topics.create('b', 1, noSettings)
    expect(seen).toEqual([
      ['a', 'created'],
      ['a', 'grown'],
      ['a', 'deleted'],
    ])
    await topics.close()
  })

  test('whose directories somebody else has made are found, with default settings', async () => {
    const machine = newMachine()
    const directory = await LogDirectory.open(dataPath, machine)
    const topicId = 'AAAAAAAAAAAAAAAAAAAABw'
    await directory.createLog('found', 0, { topicId })
    await directory.createLog('found', 2, { topicId })
    await directory.createLog('__consumer_offsets', 0)
    await directory.log('found', 2).append({ value: 'x' })
    await directory.close()
    const topics = await openTopics(machine)
    const { partitions, ...found } = topics.topic('found').describe()
    expect(found).toMatchObject({ topicId, settings: { cleanupPolicy: ['delete'] } })
    expect(partitions.map(({ highWatermark, error }) => [highWatermark, error?.code])).toEqual([
      [0, undefined],
      [0, 'VARVE_LOG_NOT_FOUND'],
      [1, undefined],
    ])
    expect(topics.topic('__consumer_offsets').settings.cleanupPolicy).toEqual(['compact'])
    await errorOf(topics.delete('__consumer_offsets'), InvalidTopicError)
    await errorOf(topics.alter('__consumer_offsets', {}), InvalidTopicError)
    await topics.close()
  })

  test('are not opened over a damaged catalogue, and nothing is changed', async () => {
    const machine = newMachine()
    const topics = await openTopics(machine)
    await topics.create('a', 1, noSettings)
    await topics.close()
    machine.fs.flipBit(`${dataPath}/${catalogueFileName}`, 200)
    const before = machine.fs.bytesOf(`${dataPath}/${catalogueFileName}`)
    await errorOf(openTopics(machine), CorruptCatalogueError)
    expect(machine.fs.bytesOf(`${dataPath}/${catalogueFileName}`)).toEqual(before)
    expect(machine.fs.openFiles()).toEqual([])
  })

  test('that are deleted keep their files, renamed, for as long as the topic said', async () => {
    const machine = newMachine()
    const topics = await openTopics(machine)
    const left = (name: string): number =>
      machine.fs
        .list(dataPath)
        .filter((entry) => entry.startsWith(`${name}-`) && entry.endsWith('-delete')).length
    await topics.create('quick', 2, { fileDeleteDelayMs: 10 })
    await topics.create('slow', 1, noSettings)
    await topics.topic('slow').partition(0).log.append({ value: 'x' })
    await topics.delete('quick')
    await topics.delete('slow')
    const again = await topics.create('slow', 1, noSettings)
    expect(again.partition(0).log.logEndOffset).toBe(0)
    expect([left('quick'), left('slow')]).toEqual([2, 1])
    machine.clock.advance(10)
    await turns()
    expect([left('quick'), left('slow')]).toEqual([0, 1])
    machine.clock.advance(60_000)
    await turns()
    expect(left('slow')).toBe(0)
    expect(topics.topic('slow').describe().partitions[0]?.error).toBeNull()
    await topics.close()
  })

  test('with a damaged partition open, and can be deleted', async () => {
    const machine = newMachine()
    const topics = await openTopics(machine)
    const { log } = (await topics.create('a', 2, noSettings)).partition(1)
    for (let index = 0; index < 10; index++) await log.append({ value: 'x'.repeat(50) })
    await topics.close()
    await machine.fs.remove(`${dataPath}/.kafka_cleanshutdown`)
    machine.fs.flipBit(`${dataPath}/a-1/00000000000000000000.log`, 8 * 100)
    const again = await openTopics(machine)
    const [whole, damaged] = again.topic('a').describe().partitions
    expect(whole?.error).toBeNull()
    expect(damaged?.error?.code).toBe('VARVE_CORRUPT_LOG')
    await again.delete('a')
    await again.create('a', 2, noSettings)
    await again.close()
  })

  test('that could not be made leave nothing, and the name can be used again', async () => {
    for (let after = 0; ; after++) {
      const machine = newMachine()
      const topics = await openTopics(machine)
      machine.fs.injectFault({ kind: 'ENOSPC', after })
      const made = await topics.create('a', 2, noSettings).catch(() => null)
      machine.fs.clearFaults()
      if (made === null) {
        expect(topics.find('a')).toBeNull()
        const again = await topics.create('a', 3, noSettings)
        expect(again.partition(2).log.logEndOffset).toBe(0)
      }
      await topics.close()
      const reopened = await openTopics(machine)
      expect(reopened.topic('a').partitions).toHaveLength(made === null ? 3 : 2)
      await reopened.close()
      if (machine.fs.faultHits === 0) break
      expect(after).toBeLessThan(200)
    }
  })

  test('hand out producer ids once, whoever used ids before', async () => {
    const machine = newMachine()
    const topics = await openTopics(machine)
    expect(await topics.takeProducerIds()).toEqual({ first: 0, count: 1000 })
    const both = await Promise.all([topics.takeProducerIds(), topics.takeProducerIds()])
    expect(both.map(({ first }) => first)).toEqual([1000, 2000])
    const crashed = newMachine(machine.fs.crashState(machine.fs.operations, 'none'))
    const again = await openTopics(crashed)
    expect((await again.takeProducerIds()).first).toBe(3000)
    await again.close()
    await topics.close()
  })
})

test('after it is closed nothing is changed, in memory or on the disk', async () => {
  const machine = newMachine()
  const topics = await openTopics(machine)
  await topics.create('t', 1, {})
  await topics.close()
  const { operations } = machine.fs
  const refused = [
    topics.create('u', 1, {}),
    topics.internal('__u', 1),
    topics.alter('t', { retentionMs: 1 }),
    topics.grow('t', 2),
    topics.delete('t'),
    topics.takeProducerIds(),
  ]
  for (const change of refused) await expect(change).rejects.toBeInstanceOf(ClosedError)
  expect(machine.fs.operations).toBe(operations)
})

test('a name whose deletion failed can be used again, and keeps what is in it then', async () => {
  for (let after = 0; ; after++) {
    const machine = newMachine()
    const topics = await openTopics(machine)
    await topics.create('a', 3, noSettings)
    machine.fs.injectFault({ kind: 'EIO', after })
    await topics.delete('a').catch(() => undefined)
    machine.fs.clearFaults()
    if (topics.find('a') !== null) await topics.delete('a')
    const again = await topics.create('a', 2, noSettings)
    for (const { log } of again.partitions) await log.append({ value: 'kept' })
    await topics.close()
    const reopened = await openTopics(machine)
    const offsets = reopened.topic('a').partitions.map(({ log }) => log.logEndOffset)
    expect([after, ...offsets]).toEqual([after, 1, 1])
    await reopened.close()
    if (machine.fs.faultHits === 0) break
    expect(after).toBeLessThan(200)
  }
})

test('a topic with the longest name is deleted like any other, also by the next opening', async () => {
  const name = 'x'.repeat(249)
  let byOpening = 0
  for (let after = 0; ; after++) {
    const machine = newMachine()
    const topics = await openTopics(machine)
    await topics.create(name, 2, noSettings)
    machine.fs.injectFault({ kind: 'EIO', after })
    const isDeleted = await topics.delete(name).then(
      () => true,
      () => false,
    )
    machine.fs.clearFaults()
    const isLeft = topics.find(name) !== null
    if (!isDeleted && !isLeft) byOpening += 1
    await topics.close().catch(() => undefined)
    const again = await openTopics(machine)
    const directories = machine.fs.list(dataPath).filter((each) => each.startsWith(`${name}-`))
    expect([after, again.find(name) !== null, directories.length > 0]).toEqual([
      after,
      isLeft,
      isLeft,
    ])
    await again.close()
    if (machine.fs.faultHits === 0) break
    expect(after).toBeLessThan(200)
  }
  expect(byOpening).toBeGreaterThan(0)
})

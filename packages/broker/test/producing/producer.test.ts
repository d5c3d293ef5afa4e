import { BatchTooLargeError, LogOfflineError } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  ClosedError,
  InvalidTimestampError,
  ProducerFencedError,
  TopicNotFoundError,
} from '../../src/base/broker-errors.ts'
import { jsonSerde } from '../../src/base/serializers.ts'
import { partitionForKey } from '../../src/partitioning/partitioner.ts'
import { Producer } from '../../src/producing/producer.ts'
import type { IdentitySource } from '../../src/producing/producer-identity.ts'
import { noIdentity } from '../../src/producing/producer-identity.ts'
import type { ProducerOptions } from '../../src/producing/producer-options.ts'
import type { Topics } from '../../src/topics/topics.ts'
import {
  errorOf,
  fixedIdentity,
  type Machine,
  newMachine,
  openTopics,
  producingContext,
  valuesOf,
} from '../broker-fixture.ts'

let machine: Machine
let topics: Topics

beforeEach(async () => {
  machine = newMachine()
  topics = await openTopics(machine)
  await topics.create('t', 3, { messageTimestampAfterMaxMs: -1 })
  await topics.create('one', 1, {})
})

afterEach(() => topics.close())

function producer<Key, Value>(
  options: ProducerOptions<Key, Value> = {},
  identities: IdentitySource | null = fixedIdentity(7),
): Producer<Key, Value> {
  return new Producer(producingContext(topics, machine), options, identities, () => undefined)
}

describe('a producer', () => {
  test('sends records to the partitions of their keys, and tells where they are', async () => {
    const sending = producer()
    const keys = ['a', 'b', 'c', 'd', 'e', 'f']
    const sent = await Promise.all(keys.map((key) => sending.send('t', { key, value: `v-${key}` })))
    const next = [0, 0, 0]
    for (const [index, key] of keys.entries()) {
      const partition = partitionForKey(key, 3)
      const offset = next[partition] ?? 0
      next[partition] = offset + 1
      expect(sent[index]).toEqual({ topic: 't', partition, offset, isDuplicate: false })
    }
    const [read] = (
      await topics.topic('t').partition(partitionForKey('a', 3)).log.read({ from: 0 })
    ).batches
    expect(read).toMatchObject({ producerId: 7, producerEpoch: 0, baseSequence: 0 })
    await sending.close()
  })

  test('shares a batch between sends of a turn, and goes on while one is on its way', async () => {
    const sending = producer()
    const { log } = topics.topic('one').partition(0)
    await sending.send('one', { value: 'before' })
    machine.fs.holdFlushes()
    const first = sending.send('one', { value: '0' })
    await new Promise((resolve) => setImmediate(resolve))
    const rest = [1, 2, 3].map((index) => sending.send('one', { value: String(index) }))
    await new Promise((resolve) => setImmediate(resolve))
    rest.push(sending.send('one', { value: '4' }))
    expect(log.logEndOffset).toBe(2)
    machine.fs.resumeFlushes()
    await Promise.all([first, ...rest])
    const sizes: number[] = []
    for await (const { count } of log.reader({ from: 0 })) sizes.push(count ?? 0)
    expect(sizes).toEqual([1, 1, 4])
    expect(await valuesOf(log)).toEqual(['before', '0', '1', '2', '3', '4'])
    await sending.close()
  })

  test('keeps the order of sends while batches fill up', async () => {
    const sending = producer({ batchBytes: 100, bufferBytes: 400, acks: 'written' })
    const values = Array.from({ length: 300 }, (_, index) => `value-${index}`)
    const sent = await Promise.all(values.map((value) => sending.send('one', { value })))
    expect(sent.map(({ offset }) => offset)).toEqual(values.map((_, index) => index))
    expect(await valuesOf(topics.topic('one').partition(0).log)).toEqual(values)
    await sending.close()
  })

  test('sends several records to one partition as one batch, all or nothing', async () => {
    const sending = producer()
    const records = Array.from({ length: 5 }, (_, index) => ({ value: String(index) }))
    const [batch] = await sending.send('t', records, { partition: 2 })
    expect(batch).toEqual({
      topic: 't',
      partition: 2,
      baseOffset: 0,
      lastOffset: 4,
      isDuplicate: false,
    })
    await topics.alter('t', { maxMessageBytes: 500 })
    const tooLarge = [...records, { value: 'x'.repeat(600) }]
    const error = await errorOf(sending.send('t', tooLarge, { partition: 2 }), BatchTooLargeError)
    expect(error.limitBytes).toBe(500)
    const bad = [...records, 5 as never]
    await errorOf(sending.send('t', bad, { partition: 2 }), InvalidArgumentError)
    const asOthersDo = { topic: 't', messages: [] }
    await errorOf(sending.send(asOthersDo as never, {}), InvalidArgumentError)
    const [next] = await sending.send('t', [{ value: '5' }], { partition: 2 })
    expect(next).toMatchObject({ baseOffset: 5, lastOffset: 5 })
    expect(await valuesOf(topics.topic('t').partition(2).log)).toHaveLength(6)
    await sending.close()
  })

  test('spreads several records by their keys, one batch for each partition', async () => {
    const sending = producer()
    const records = Array.from({ length: 30 }, (_, index) => ({ key: `k${index}`, value: 'v' }))
    const sent = await sending.send('t', records)
    expect(sent.map(({ partition }) => partition).sort()).toEqual([0, 1, 2])
    let total = 0
    for (const { baseOffset, lastOffset } of sent) total += lastOffset - baseOffset + 1
    expect(total).toBe(30)
    await sending.close()
  })

  test('takes strings, bytes and nulls, and what serializers make of the rest', async () => {
    const plain = producer()
    await plain.send('one', { key: Buffer.from([1]), value: new Uint8Array([2]) })
    await plain.send('one', { key: null, value: null })
    await plain.send('one', { key: 'k', headers: [{ key: 'h', value: 'x' }], timestamp: 5 })
    const serializing = producer<unknown, unknown>(
      { keySerializer: jsonSerde, valueSerializer: jsonSerde },
      fixedIdentity(8),
    )
    await serializing.send('one', { key: ['k', 1], value: { a: 1 }, timestamp: 6 })
    await serializing.send('one', { key: ['k', 2], value: null })
    const circular: { self?: unknown } = {}
    circular.self = circular
    await errorOf(serializing.send('one', { value: circular }), TypeError)
    const found: unknown[] = []
    const { log } = topics.topic('one').partition(0)
    for await (const { key, value, timestamp } of log.reader({ from: 0 }).records()) {
      found.push([key?.toString(), value?.toString(), timestamp < 10 ? timestamp : 'now'])
    }
    expect(found).toEqual([
      ['\u0001', '\u0002', 'now'],
      [undefined, undefined, 'now'],
      ['k', undefined, 5],
      ['["k",1]', '{"a":1}', 6],
      ['["k",2]', undefined, 'now'],
    ])
    await plain.close()
    await serializing.close()
  })

  test('goes by the partition that is given, or by a partitioner of its own', async () => {
    const sending = producer({ partitioner: (_topic, key) => (key === 'two' ? 2 : null) })
    expect((await sending.send('t', { key: 'two' })).partition).toBe(2)
    expect((await sending.send('t', { key: 'two' }, { partition: 1 })).partition).toBe(1)
    const [a, b] = [await sending.send('t', { key: 'x' }), await sending.send('t', { key: 'x' })]
    expect(a.partition).not.toBe(b.partition)
    await errorOf(sending.send('t', { key: 'x' }, { partition: 3 }), TopicNotFoundError)
    await errorOf(sending.send('t', { key: 'x' }, { partition: -1 }), TopicNotFoundError)
    const wrong = producer({ partitioner: () => 0.5 }, null)
    await errorOf(wrong.send('t', {}), InvalidArgumentError)
    await errorOf(sending.send('none', {}), TopicNotFoundError)
    await sending.close()
  })

  test('waits for more records as long as it is told, or until the batch is full', async () => {
    const sending = producer({ lingerMs: 50, batchBytes: 200 })
    let isSent = false
    const first = sending.send('one', { value: 'a' }).then(() => {
      isSent = true
    })
    await sending.start()
    await new Promise((resolve) => setImmediate(resolve))
    machine.clock.advance(49)
    await new Promise((resolve) => setImmediate(resolve))
    expect(isSent).toBe(false)
    machine.clock.advance(1)
    await first
    await sending.send('one', { value: 'x'.repeat(200) })
    const lingering = sending.send('one', { value: 'b' })
    await sending.flush()
    await lingering
    await sending.close()
  })

  test('compresses as it is told, unless the topic says otherwise', async () => {
    await topics.create('z', 1, { compressionType: 'zstd' })
    const sending = producer({ compression: 'gzip' })
    for (const topic of ['one', 'z']) await sending.send(topic, { value: 'x'.repeat(500) })
    const codecs = ['one', 'z'].map(async (topic) => {
      const { batches } = await topics.topic(topic).partition(0).log.read({ from: 0 })
      return batches[0]?.compressionType
    })
    expect(await Promise.all(codecs)).toEqual(['gzip', 'zstd'])
    await sending.close()
  })

  test('refuses timestamps that are too far from now for the topic', async () => {
    const sending = producer()
    const now = machine.clock.now()
    await sending.send('one', { timestamp: now + 3_600_000 })
    const late = sending.send('one', { timestamp: now + 3_600_001 })
    await errorOf(late, InvalidTimestampError)
    await topics.alter('one', { messageTimestampBeforeMaxMs: 5 })
    await sending.send('one', { timestamp: now - 5 })
    await errorOf(sending.send('one', { timestamp: now - 6 }), InvalidTimestampError)
    await sending.close()
  })

  test('refuses options that make no sense', () => {
    for (const options of [
      { acks: 'all' },
      { compression: 'brotli' },
      { lingerMs: -1 },
      { batchBytes: 0.5 },
      { bufferBytes: 0 },
      { deliveryTimeoutMs: 'long' },
      { partitioner: 5 },
    ]) {
      expect(() => producer(options as never)).toThrow(InvalidArgumentError)
    }
  })

  test('without numbers sends batches that have none', async () => {
    const sending = producer({ idempotent: false }, null)
    await sending.send('one', { value: 'a' })
    const { batches } = await topics.topic('one').partition(0).log.read({ from: 0 })
    expect(batches[0]).toMatchObject({ ...noIdentity, baseSequence: -1 })
    await sending.close()
  })

  test('with acks none does not wait, and loses nothing in a running process', async () => {
    const sending = producer({ acks: 'none' })
    const sent = await Promise.all(
      [1, 2, 3].map((value) => sending.send('one', { value: `${value}` })),
    )
    expect(sent[2]).toMatchObject({ offset: -1 })
    await sending.flush()
    const { log } = topics.topic('one').partition(0)
    await log.flush()
    expect(await valuesOf(log)).toEqual(['1', '2', '3'])
    await sending.close()
  })

  test('sends what waits when it is closed, and nothing afterwards', async () => {
    const sending = producer({ lingerMs: 1000 })
    const last = sending.send('one', { value: 'last' })
    await sending.close()
    expect((await last).offset).toBe(0)
    await errorOf(sending.send('one', { value: 'late' }), ClosedError)
    await sending.close()
  })

  test('that has been fenced sends nothing more', async () => {
    let fence: (error: unknown) => void = () => undefined
    const sending = producer(
      {},
      {
        take: async (fenced) => {
          fence = fenced
          return { producerId: 1, producerEpoch: 0 }
        },
        giveBack: () => undefined,
      },
    )
    await sending.send('one', { value: 'a' })
    const late = sending.send('one', { value: 'b' })
    fence(new ProducerFencedError('p', 'a newer one has begun'))
    await errorOf(late, ProducerFencedError)
    await errorOf(sending.send('one', { value: 'c' }), ProducerFencedError)
    expect(await valuesOf(topics.topic('one').partition(0).log)).toEqual(['a'])
  })

  test('whose identity cannot be had tries again with the next send', async () => {
    let times = 0
    const sending = producer(
      {},
      {
        take: async () => {
          times++
          if (times === 1) throw new Error('disk')
          return { producerId: 1, producerEpoch: 0 }
        },
        giveBack: () => undefined,
      },
    )
    await expect(sending.send('one', { value: 'a' })).rejects.toThrow('disk')
    await sending.send('one', { value: 'b' })
    expect(await valuesOf(topics.topic('one').partition(0).log)).toEqual(['b'])
    await sending.close()
  })

  test('goes on with a topic that was deleted and made anew', async () => {
    const sending = producer()
    await sending.send('one', { value: 'a' })
    await topics.delete('one')
    await errorOf(sending.send('one', { value: 'b' }), TopicNotFoundError)
    await topics.create('one', 1, {})
    expect((await sending.send('one', { value: 'c' })).offset).toBe(0)
    await topics.grow('one', 2)
    await sending.send('one', { value: 'd' }, { partition: 1 })
    await sending.close()
  })
})

describe('when the storage of a partition fails', () => {
  const logOf = () => topics.topic('one').partition(0)

  test('sends reject, and go on when it has been mended, numbered as the log expects', async () => {
    const sending = producer()
    await sending.send('one', { value: 'a' })
    machine.fs.injectFault({ kind: 'EIO', isLasting: true })
    await errorOf(sending.send('one', { value: 'b' }), LogOfflineError)
    await errorOf(sending.send('one', { value: 'c' }), LogOfflineError)
    machine.fs.clearFaults()
    await topics.directory.reopenLog('one', 0)
    await sending.send('one', { value: 'd' })
    const values = await valuesOf(logOf().log)
    expect(values.at(0)).toBe('a')
    expect(values.at(-1)).toBe('d')
    await sending.close()
  })

  // How many calls succeed before the failure: before, between and after the writes and flushes.
  test.each([0, 1, 2, 3, 4])(
    'sends that may wait are sent again, and appended once, failing after %i calls',
    async (after) => {
      const sending = producer({ deliveryTimeoutMs: 10_000, batchBytes: 60 })
      await sending.send('one', { value: 'a' })
      machine.fs.injectFault({ kind: 'EIO', isLasting: true, after })
      const values = ['b', 'c', 'd', 'e']
      const sends = values.map((value) => sending.send('one', { value: value.repeat(30) }))
      await new Promise((resolve) => setImmediate(resolve))
      const extra = sending.send('one', { value: 'f'.repeat(30) })
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
      machine.clock.advance(3000)
      machine.fs.clearFaults()
      await topics.directory.reopenLog('one', 0)
      const driving = setInterval(() => machine.clock.advance(1000), 1)
      const sent = await Promise.all([...sends, extra])
      clearInterval(driving)
      const expected = ['a', ...[...values, 'f'].map((value) => value.repeat(30))]
      expect(await valuesOf(logOf().log)).toEqual(expected)
      expect(sent.map(({ offset }) => offset)).toEqual([1, 2, 3, 4, 5])
      await sending.close()
    },
  )

  test('sends that have waited long enough reject, those after them too', async () => {
    const sending = producer({ deliveryTimeoutMs: 500 })
    await sending.send('one', { value: 'a' })
    machine.fs.injectFault({ kind: 'EIO', isLasting: true })
    const first = errorOf(sending.send('one', { value: 'b' }), LogOfflineError)
    const driving = setInterval(() => machine.clock.advance(100), 1)
    await first
    clearInterval(driving)
    machine.fs.clearFaults()
    await topics.directory.reopenLog('one', 0)
    await sending.send('one', { value: 'c' })
    await sending.close()
  })
})

describe('a producer with source offsets', () => {
  const named = { name: 'reader' }

  test('appends what is sent again once, in this life and the next', async () => {
    const first = producer(named)
    for (const sourceOffset of [0, 3, 4]) {
      await first.send('one', { key: 'k', value: `${sourceOffset}` }, { sourceOffset })
    }
    expect(await first.send('one', { key: 'k', value: '4' }, { sourceOffset: 4 })).toEqual({
      topic: 'one',
      partition: 0,
      offset: -1,
      isDuplicate: true,
    })
    const crashed = newMachine(machine.fs.crashState(machine.fs.operations, 'none'))
    await topics.close()
    machine = crashed
    topics = await openTopics(crashed)
    const second = producer(named, fixedIdentity(7, 1))
    expect(await second.lastSourceOffset('one', 0)).toBe(4)
    const sent = await Promise.all(
      [3, 4, 5, 6].map((sourceOffset) => {
        return second.send('one', { key: 'k', value: `${sourceOffset}` }, { sourceOffset })
      }),
    )
    expect(sent.map(({ isDuplicate }) => isDuplicate)).toEqual([true, true, false, false])
    expect(await valuesOf(topics.topic('one').partition(0).log)).toEqual(['0', '3', '4', '5', '6'])
  })

  test('finds its last one behind others, and behind what it sent without', async () => {
    const first = producer(named)
    await first.send('one', [{ value: 'a' }, { value: 'b' }], { partition: 0, sourceOffset: 9 })
    await first.send('one', { value: 'c' })
    const other = producer({ name: 'other' }, fixedIdentity(8))
    await other.send('one', { value: 'd' }, { partition: 0, sourceOffset: 99 })
    const second = producer(named, fixedIdentity(7, 1))
    expect(await second.lastSourceOffset('one', 0)).toBe(9)
    expect(await producer({ name: 'new' }, fixedIdentity(9)).lastSourceOffset('one', 0)).toBe(-1)
  })

  test('needs a name, a number and one partition', async () => {
    const sourceOffset = 5
    await errorOf(producer().send('one', { key: 'k' }, { sourceOffset }), InvalidArgumentError)
    const sending = producer(named)
    for (const wrong of [-1, 0.5, Number.NaN]) {
      const sent = sending.send('one', { key: 'k' }, { sourceOffset: wrong })
      await errorOf(sent, InvalidArgumentError)
    }
    await errorOf(sending.send('t', { value: 'x' }, { sourceOffset }), InvalidArgumentError)
    const several = [{ key: 'a' }, { key: 'b' }, { key: 'c' }, { key: 'd' }]
    await errorOf(sending.send('t', several, { sourceOffset }), InvalidArgumentError)
  })

  test('that could not be sent is sent when it is tried again', async () => {
    const sending = producer(named)
    await sending.send('one', { key: 'k', value: 'a' }, { sourceOffset: 1 })
    machine.fs.injectFault({ kind: 'EIO', isLasting: true })
    const failed = sending.send('one', { key: 'k', value: 'b' }, { sourceOffset: 2 })
    await errorOf(failed, LogOfflineError)
    machine.fs.clearFaults()
    await topics.directory.reopenLog('one', 0)
    await sending.send('one', { key: 'k', value: 'b' }, { sourceOffset: 2 })
    await sending.send('one', { key: 'k', value: 'b' }, { sourceOffset: 2 })
    expect(await valuesOf(topics.topic('one').partition(0).log)).toEqual(['a', 'b'])
  })
})

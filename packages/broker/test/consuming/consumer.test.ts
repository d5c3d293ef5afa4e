import { LogOfflineError } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TopicNotFoundError } from '../../src/base/broker-errors.ts'
import { brokerChannels, type ReadEvent } from '../../src/base/diagnostics.ts'
import { jsonSerde, stringSerde } from '../../src/base/serializers.ts'
import { RecordsDeletedError } from '../../src/consuming/consumer-errors.ts'
import type { DirectoryVarve } from '../../src/directory-varve.ts'
import { TransactionFailedError } from '../../src/transactions/transaction-errors.ts'
import { errorOf, type Machine, newMachine, openOn, takeValues, turns } from '../broker-fixture.ts'

let machine: Machine
let varve: DirectoryVarve

beforeEach(async () => {
  machine = newMachine()
  varve = await openOn(machine)
  await varve.createTopic('t', { partitions: 3, segmentBytes: 500 })
  await varve.createTopic('one', { segmentBytes: 500 })
})

afterEach(() => varve.close())

/** Values `<prefix>0` to before `<prefix><count>`, one batch each. */
async function fill(topic: string, count: number, partition = 0, prefix = ''): Promise<void> {
  const log = varve.log(topic, partition)
  for (let index = 0; index < count; index++) await log.append({ value: `${prefix}${index}` })
}

const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index))

describe('a consumer', () => {
  test('can be asked for records by several at once, who each get one or its end', async () => {
    const consumer = varve.consumer({ topics: ['one'] })
    const asked = [consumer.next(), consumer.next(), consumer.next()]
    await turns()
    await fill('one', 2)
    await turns()
    await consumer.close()
    expect((await Promise.all(asked)).filter(({ done }) => done !== true)).toHaveLength(2)
  })

  test('reads the records of its topics, and follows what is appended', async () => {
    await fill('one', 20)
    const consumer = varve.consumer({ topics: ['one'] })
    expect(await takeValues(consumer, 20)).toEqual(range(0, 20))
    const next = takeValues(consumer, 2)
    await varve.producer().send('one', [{ value: '20' }, { value: '21' }])
    expect(await next).toEqual(['20', '21'])
    expect(consumer.lag()).toEqual([
      { topic: 'one', partition: 0, position: 22, endOffset: 22, lag: 0 },
    ])
    await consumer.close()
    expect(await consumer.next()).toEqual({ done: true, value: undefined })
  })

  test('gives records with everything that was sent, deserialized', async () => {
    const timestamp = machine.clock.now() - 5
    const headers = [{ key: 'h', value: 'x' }]
    await varve.producer().send('one', { key: 'k', value: '{"a":1}', headers, timestamp })
    await varve.producer().send('one', { key: null, value: null })
    const consumer = varve.consumer({
      topics: ['one'],
      keyDeserializer: stringSerde,
      valueDeserializer: jsonSerde,
    })
    const first = (await consumer.next()).value
    expect(first).toMatchObject({ topic: 'one', partition: 0, offset: 0, timestamp })
    expect(first?.key).toBe('k')
    expect(first?.value).toEqual({ a: 1 })
    expect(first?.value).toBe(first?.value)
    expect(first?.headers[0]?.value?.toString()).toBe('x')
    const second = (await consumer.next()).value
    expect([second?.key, second?.value]).toEqual([null, null])
    await consumer.close()
  })

  test('begins where it is told: with the first, the last, an offset, or a time', async () => {
    await fill('one', 10)
    machine.clock.advance(1000)
    const timestamp = machine.clock.now()
    await fill('one', 5, 0, 'late-')
    const first = async (from: never): Promise<unknown> => {
      await using consumer = varve.consumer({ topics: ['one'], from, follow: false })
      return (await takeValues(consumer, 1))[0]
    }
    expect(await first('earliest' as never)).toBe('0')
    expect(await first(7 as never)).toBe('7')
    expect(await first({ timestamp } as never)).toBe('late-0')
    expect(await first({ timestamp: timestamp + 1 } as never)).toBeUndefined()
    expect(await first('latest' as never)).toBeUndefined()
    const following = varve.consumer({ topics: ['one'], from: 'latest' })
    await following.start()
    await fill('one', 1, 0, 'new-')
    expect(await takeValues(following, 1)).toEqual(['new-0'])
  })

  test('without following ends at the ends of its partitions', async () => {
    await Promise.all([fill('t', 5, 0, 'a'), fill('t', 3, 2, 'c')])
    const values: string[] = []
    for await (const { value } of varve.consumer({ topics: ['t'], follow: false })) {
      values.push(String(value))
    }
    expect(values.sort()).toEqual(['a0', 'a1', 'a2', 'a3', 'a4', 'c0', 'c1', 'c2'])
  })

  test('gives every partition its turn', async () => {
    for (const partition of [0, 1, 2]) {
      const values = Array.from({ length: 2000 }, () => ({ value: String(partition) }))
      await varve.log('t', partition).append(values.slice(0, 20))
      for (let index = 20; index < 2000; index += 20) {
        await varve.log('t', partition).append(values.slice(index, index + 20))
      }
    }
    const consumer = varve.consumer({ topics: ['t'] })
    const values = await takeValues(consumer, 3000)
    const counts = ['0', '1', '2'].map((name) => values.filter((value) => value === name).length)
    for (const count of counts) expect(count).toBeGreaterThan(700)
    await consumer.close()
  })

  test('reads the partitions that it is given, and only those', async () => {
    await Promise.all([fill('t', 2, 0, 'a'), fill('t', 2, 1, 'b')])
    const assignment = [{ topic: 't', partition: 1 }]
    const consumer = varve.consumer({ assignment, follow: false })
    expect(await takeValues(consumer, 9)).toEqual(['b0', 'b1'])
    const missing = varve.consumer({ assignment: [{ topic: 't', partition: 3 }] })
    await errorOf(missing.next(), TopicNotFoundError)
  })

  test('gets partitions that are added, from their first record on', async () => {
    const consumer = varve.consumer({ topics: ['one'], from: 'latest' })
    await consumer.start()
    await varve.addPartitions('one', 2)
    await fill('one', 3, 1, 'b')
    expect(await takeValues(consumer, 3)).toEqual(['b0', 'b1', 'b2'])
    expect(consumer.partitions).toHaveLength(2)
    await consumer.close()
  })

  test('sees nothing of open and aborted transactions, unless it asks to', async () => {
    const producer = varve.producer({ transactionalId: 'p' })
    const aborted = await producer.begin()
    await aborted.send('one', { value: 'aborted' })
    await aborted.abort()
    await producer.transaction(async (tx) => void (await tx.send('one', { value: 'committed' })))
    const open = await producer.begin()
    await open.send('one', { value: 'open' })
    await fill('one', 1, 0, 'after-')
    const read = async (isolation: 'committed' | 'uncommitted'): Promise<string[]> => {
      return takeValues(varve.consumer({ topics: ['one'], isolation, follow: false }), 9)
    }
    expect(await read('committed')).toEqual(['committed'])
    expect(await read('uncommitted')).toEqual(['aborted', 'committed', 'open', 'after-0'])
    const waiting = varve.consumer({ topics: ['one'] })
    const values = takeValues(waiting, 3)
    await turns()
    await open.commit()
    expect(await values).toEqual(['committed', 'open', 'after-0'])
    expect(waiting.lag()[0]).toMatchObject({ lag: 1 })
    await waiting.close()
  })

  test('pauses, resumes and seeks', async () => {
    await Promise.all([fill('t', 5, 0, 'a'), fill('t', 5, 1, 'b')])
    const consumer = varve.consumer({ topics: ['t'] })
    await consumer.start()
    const [a, b] = [
      { topic: 't', partition: 0 },
      { topic: 't', partition: 1 },
    ]
    consumer.pause([a])
    expect(await takeValues(consumer, 5)).toEqual(['b0', 'b1', 'b2', 'b3', 'b4'])
    await consumer.seek(b, 3)
    expect(consumer.position(b)).toBe(3)
    expect(await takeValues(consumer, 2)).toEqual(['b3', 'b4'])
    const rest = takeValues(consumer, 5)
    await turns()
    consumer.resume([a])
    expect(await rest).toEqual(['a0', 'a1', 'a2', 'a3', 'a4'])
    await consumer.seek(a, 'earliest')
    expect(await takeValues(consumer, 1)).toEqual(['a0'])
    await errorOf(consumer.seek({ topic: 'one', partition: 0 }, 0), InvalidArgumentError)
    await errorOf(consumer.seek(a, 'middle' as never), InvalidArgumentError)
    expect(() => consumer.position({ topic: 't', partition: 9 })).toThrow(InvalidArgumentError)
    await consumer.close()
  })

  test('says so when its next record has been deleted, and goes on where it is told', async () => {
    await fill('one', 50)
    const log = varve.log('one', 0)
    const consumer = varve.consumer({ topics: ['one'], fetchBytes: 100 })
    expect(await takeValues(consumer, 2)).toEqual(['0', '1'])
    await log.deleteSegmentsBefore(40)
    const error = await errorOf(takeValues(consumer, 20), RecordsDeletedError)
    expect(error).toMatchObject({ topic: 'one', partition: 0, logStartOffset: 40 })
    const place = { topic: 'one', partition: 0 }
    expect(consumer.position(place)).toBe(error.position)
    await errorOf(consumer.next(), RecordsDeletedError)
    await consumer.seek(place, 'earliest')
    expect(await takeValues(consumer, 2)).toEqual(['40', '41'])
    await consumer.close()

    const errors: RecordsDeletedError[] = []
    const skipping = varve.consumer({
      topics: ['one'],
      from: 5,
      whenDeleted: 'earliest',
      onDeleted: (each) => void errors.push(each),
    })
    expect(await takeValues(skipping, 2)).toEqual(['40', '41'])
    expect(errors.map(({ position, logStartOffset }) => [position, logStartOffset])).toEqual([
      [5, 40],
    ])
    await skipping.close()
    const beyond = varve.consumer({ topics: ['one'], from: 51 })
    await errorOf(beyond.next(), RecordsDeletedError)
    await beyond.close()
  })

  test('does not deliver records that are older than their time to live', async () => {
    await varve.alterTopic('one', { recordTtlMs: 1000 })
    await fill('one', 3, 0, 'old-')
    machine.clock.advance(1000)
    await fill('one', 1, 0, 'new-')
    const producer = varve.producer()
    await producer.send('one', { value: 'short', ttlMs: 10 })
    await producer.send('one', { value: 'long', ttlMs: 500 })
    await producer.send('one', { value: 'odd', headers: [{ key: 'varve-expires-at', value: 'x' }] })
    machine.clock.advance(10)
    const consumer = varve.consumer({ topics: ['one'], follow: false })
    expect(await takeValues(consumer, 9)).toEqual(['new-0', 'long', 'odd'])
  })

  test('goes on when a log was opened again, and rejects when it failed', async () => {
    await fill('one', 3)
    const consumer = varve.consumer({ topics: ['one'] })
    expect(await takeValues(consumer, 3)).toEqual(['0', '1', '2'])
    const next = takeValues(consumer, 1)
    await turns()
    await varve.reopenPartition('one', 0)
    await fill('one', 1, 0, 'again-')
    machine.clock.advance(50)
    expect(await next).toEqual(['again-0'])
    const failing = takeValues(consumer, 1)
    await turns()
    machine.fs.injectFault({ kind: 'EIO', isLasting: true })
    await errorOf(varve.log('one', 0).append({ value: 'lost' }), LogOfflineError)
    await errorOf(failing, LogOfflineError)
    machine.fs.clearFaults()
    await consumer.close()
    await varve.reopenPartition('one', 0)
  })

  test('rejects when its topic is deleted', async () => {
    const consumer = varve.consumer({ topics: ['one'] })
    const next = errorOf(consumer.next(), TopicNotFoundError)
    await turns()
    await varve.deleteTopic('one')
    await next
    await errorOf(varve.consumer({ topics: ['none'] }).next(), TopicNotFoundError)
  })

  test('ends when its signal is given, or its loop is left', async () => {
    await fill('one', 3)
    const controller = new AbortController()
    const consumer = varve.consumer({ topics: ['one'], signal: controller.signal })
    const values: string[] = []
    const reading = (async () => {
      for await (const { value } of consumer) values.push(String(value))
    })()
    await turns()
    controller.abort()
    await reading
    expect(values).toEqual(['0', '1', '2'])
    const left = varve.consumer({ topics: ['one'] })
    for await (const { value } of left) if (String(value) === '1') break
    expect((await left.next()).done).toBe(true)
  })

  test('ends when the data directory is closed', async () => {
    const consumer = varve.consumer({ topics: ['one'] })
    const next = consumer.next()
    await turns()
    await varve.close()
    expect(await next).toEqual({ done: true, value: undefined })
  })

  test('keeps what it reads ahead within bounds', async () => {
    for (const partition of [0, 1, 2]) {
      for (let index = 0; index < 40; index++) {
        await varve.log('t', partition).append({ value: 'x'.repeat(400) })
      }
    }
    let sizeBytes = 0
    const listen = (event: unknown): void => {
      sizeBytes += (event as ReadEvent).sizeBytes
    }
    brokerChannels.read.subscribe(listen)
    const consumer = varve.consumer({ topics: ['t'], bufferBytes: 6000, fetchBytes: 1000 })
    await takeValues(consumer, 1)
    await turns()
    expect(sizeBytes).toBeGreaterThan(0)
    expect(sizeBytes).toBeLessThan(6000)
    expect(await takeValues(consumer, 119)).toHaveLength(119)
    brokerChannels.read.unsubscribe(listen)
    await consumer.close()
  })

  test.each([
    {},
    { topics: ['one'], assignment: [{ topic: 'one', partition: 0 }] },
    { topics: [] },
    { assignment: [] },
    { topics: ['one'], from: -1 },
    { topics: ['one'], from: 'begin' },
    { topics: ['one'], isolation: 'serializable' },
    { topics: ['one'], whenDeleted: 'ignore' },
    { topics: ['one'], fetchBytes: 0 },
    { topics: ['one'], autoCommitMs: 5 },
  ])('is refused with the options %o', (options) => {
    expect(() => varve.consumer(options as never)).toThrow(InvalidArgumentError)
  })
})

describe('a consumer of a group', () => {
  test('goes on where the group has committed', async () => {
    await fill('one', 10)
    const first = varve.consumer({ group: 'g', topics: ['one'] })
    for await (const record of first) {
      if (record.offset === 3) await first.commit(record)
      if (record.offset === 5) break
    }
    const second = varve.consumer({ group: 'g', topics: ['one'] })
    expect(await takeValues(second, 2)).toEqual(['4', '5'])
    await second.commit()
    await second.close()
    const crashed = newMachine(machine.fs.crashState(machine.fs.operations, 'none'))
    await varve.close()
    machine = crashed
    varve = await openOn(crashed)
    const third = varve.consumer({ group: 'g', topics: ['one'] })
    expect(await takeValues(third, 1)).toEqual(['6'])
    const other = varve.consumer({ group: 'h', topics: ['one'], from: 8 })
    expect(await takeValues(other, 1)).toEqual(['8'])
  })

  test('commits by itself what is done, when it is time and when it is closed', async () => {
    await fill('one', 10)
    const options = { group: 'g', topics: ['one'], autoCommitMs: 1000 }
    const first = varve.consumer(options)
    await takeValues(first, 3)
    machine.clock.advance(1000)
    await takeValues(first, 1)
    const groups = await varve.groups()
    const place = [{ topic: 'one', partition: 0 }]
    expect((await groups.fetch('g', place))[0]?.offset).toBe(3)
    await takeValues(first, 1)
    await first.close()
    expect((await groups.fetch('g', place))[0]?.offset).toBe(4)
  })

  test('shares the partitions with the other members', async () => {
    const values = new Set<string>()
    const read = async (consumer: AsyncIterable<{ readonly value: unknown }>): Promise<void> => {
      for await (const { value } of consumer) values.add(String(value))
    }
    const members = [0, 1].map(() => varve.consumer({ group: 'g', topics: ['t'] }))
    const reading = members.map(read)
    await turns(100)
    expect(members.map(({ partitions }) => partitions.length).sort()).toEqual([1, 2])
    await Promise.all([0, 1, 2].map((partition) => fill('t', 5, partition, `${partition}-`)))
    await turns(50)
    expect(values.size).toBe(15)
    await members[0]?.close()
    await turns(100)
    expect(members[1]?.partitions).toHaveLength(3)
    await members[1]?.close()
    await Promise.all(reading)
  })

  test('runs a handler, several records at a time, and commits what is done', async () => {
    await Promise.all([0, 1, 2].map((partition) => fill('t', 5, partition, `${partition}-`)))
    const consumer = varve.consumer({ group: 'g', topics: ['t'] })
    const handled: string[] = []
    let running = 0
    let mostRunning = 0
    const controller = new AbortController()
    controller.signal.addEventListener('abort', () => void consumer.close())
    await consumer.run({
      concurrency: 3,
      handler: async ({ value }) => {
        running++
        mostRunning = Math.max(mostRunning, running)
        await turns(2)
        running--
        handled.push(String(value))
        if (handled.length === 15) controller.abort()
      },
    })
    expect(handled).toHaveLength(15)
    expect(mostRunning).toBeGreaterThan(1)
    const groups = await varve.groups()
    const places = [0, 1, 2].map((partition) => ({ topic: 't', partition }))
    const committed = await groups.fetch('g', places)
    expect(committed.map((each) => each?.offset)).toEqual([5, 5, 5])
  })

  test('that has lost its partitions commits nothing of them in a transaction', async () => {
    await fill('one', 10)
    const consumer = varve.consumer({ group: 'g', topics: ['one'] })
    const record = (await consumer.next()).value
    const producer = varve.producer({ transactionalId: 'p' })
    const transaction = await producer.begin()
    await consumer.close()
    const next = varve.consumer({ group: 'g', topics: ['one'] })
    await next.start()
    const offset = (record?.offset ?? 0) + 1
    const sent = transaction.sendOffsets(consumer, [{ topic: 'one', partition: 0, offset }])
    await expect(sent).rejects.toThrow()
    await errorOf(transaction.commit(), TransactionFailedError)
    await transaction.abort()
    expect(await takeValues(next, 1)).toEqual(['0'])
    const alone = varve.consumer({ topics: ['one'] })
    const other = await producer.begin()
    const none = other.sendOffsets(alone, [{ topic: 'one', partition: 0, offset }])
    await errorOf(none, InvalidArgumentError)
    await other.abort()
  })

  test('goes on behind what a transaction has committed for it', async () => {
    await fill('one', 10)
    const consumer = varve.consumer({ group: 'g', topics: ['one'] })
    const producer = varve.producer({ transactionalId: 'p' })
    for (const outcome of ['commit', 'abort'] as const) {
      const record = (await consumer.next()).value
      const transaction = await producer.begin()
      await transaction.send('t', { value: `of ${record?.value}` }, { partition: 0 })
      const offset = (record?.offset ?? 0) + 1
      await transaction.sendOffsets(consumer, [{ topic: 'one', partition: 0, offset }])
      await transaction[outcome]()
    }
    await consumer.close()
    const next = varve.consumer({ group: 'g', topics: ['one'] })
    expect(await takeValues(next, 1)).toEqual(['1'])
    const made = varve.consumer({ topics: ['t'], follow: false })
    expect(await takeValues(made, 9)).toEqual(['of 0'])
  })
})

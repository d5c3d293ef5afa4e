import { InvalidArgumentError } from '@varve/record'
import { describe, expect, test } from 'vitest'
import { ClosedError } from '../../src/base/broker-errors.ts'
import type { RawRecord } from '../../src/handling/handled-record.ts'
import type { Delivery } from '../../src/queues/delivery.ts'
import { Queue } from '../../src/queues/queue.ts'
import { DeliveryExpiredError } from '../../src/queues/queue-errors.ts'
import { QueueBench } from './queue-fixture.ts'

async function next(bench: QueueBench): Promise<Delivery> {
  const delivery = await bench.queue.dequeue({ waitMs: 0 })
  if (delivery === null) throw new Error('there is nothing to dequeue')
  return delivery
}

test('records are taken in order, each by one consumer, and are gone when acknowledged', async () => {
  await using bench = await QueueBench.open()
  await bench.enqueue('a', 'b', 'c')
  expect([bench.queue.length, bench.queue.inFlight]).toEqual([3, 0])
  const first = await next(bench)
  const second = await next(bench)
  expect([String(first.record.value), String(second.record.value)]).toEqual(['a', 'b'])
  expect([bench.queue.length, bench.queue.inFlight]).toEqual([3, 2])
  await second.acknowledge()
  await first.acknowledge()
  expect([bench.queue.length, bench.queue.inFlight]).toEqual([1, 0])
  expect(bench.queue.startOffsets).toEqual([2])
  expect(await bench.values()).toEqual(['c'])
  expect(await bench.queue.dequeue({ waitMs: 0 })).toBeNull()
})

test('a record that is not acknowledged in time is delivered again, and counted', async () => {
  await using bench = await QueueBench.open({ visibilityTimeoutMs: 1000 })
  await bench.enqueue('a', 'b')
  const late = await next(bench)
  bench.clock.advance(999)
  expect(await bench.values()).toEqual(['b'])
  bench.clock.advance(1)
  const again = await next(bench)
  expect([String(again.record.value), again.deliveryCount]).toEqual(['a', 2])
  await expect(late.acknowledge()).rejects.toBeInstanceOf(DeliveryExpiredError)
  await again.acknowledge()
  await expect(again.release()).rejects.toBeInstanceOf(DeliveryExpiredError)
})

test('a delivery can be extended, and given back with a delay', async () => {
  await using bench = await QueueBench.open({ visibilityTimeoutMs: 1000 })
  await bench.enqueue('a')
  const delivery = await next(bench)
  bench.clock.advance(900)
  delivery.extend()
  bench.clock.advance(900)
  await delivery.release({ delayMs: 500 })
  expect(await bench.values()).toEqual([])
  bench.clock.advance(499)
  expect(await bench.values()).toEqual([])
  bench.clock.advance(1)
  const again = await next(bench)
  expect(again.deliveryCount).toBe(2)
  await again.release()
  expect(await bench.values()).toEqual(['a'])
})

test('a record with a delay is delivered after it, others before', async () => {
  await using bench = await QueueBench.open()
  await bench.queue.enqueue({ value: 'later' }, { delayMs: 5000 })
  await bench.enqueue('now')
  expect(await bench.values()).toEqual(['now'])
  bench.clock.advance(5000)
  expect(await bench.values()).toEqual(['later'])
})

test('waiting consumers get what comes, and nothing when their time or signal ends it', async () => {
  await using bench = await QueueBench.open()
  const controller = new AbortController()
  const waiting = bench.queue.dequeue()
  const timed = bench.queue.dequeue({ waitMs: 100 })
  const stopped = bench.queue.dequeue({ signal: controller.signal })
  await bench.turns()
  await bench.enqueue('a')
  expect(String((await waiting)?.record.value)).toBe('a')
  bench.clock.advance(100)
  controller.abort()
  expect([await timed, await stopped]).toEqual([null, null])
})

test('competing consumers get each record once', async () => {
  await using bench = await QueueBench.open({ partitions: 3 })
  const values = Array.from({ length: 60 }, (_, index) => `v${index}`)
  const seen: string[] = []
  const consume = async (): Promise<void> => {
    for (;;) {
      const delivery = await bench.queue.dequeue({ waitMs: 1000 })
      if (delivery === null) return
      seen.push(String(delivery.record.value))
      await delivery.acknowledge()
    }
  }
  const consumers = [consume(), consume(), consume(), consume()]
  await Promise.all(values.map((value) => bench.queue.enqueue({ value })))
  while (bench.queue.length > 0) await bench.turns()
  bench.clock.advance(1000)
  await bench.turns()
  bench.clock.advance(1000)
  await Promise.all(consumers)
  expect(seen.sort()).toEqual(values.sort())
})

describe('a queue in the order of keys', () => {
  test('gives the next record of a key only when the one before is finished', async () => {
    await using bench = await QueueBench.open({ order: 'key', visibilityTimeoutMs: 1000 })
    for (const [key, value] of [
      ['x', 'x1'],
      ['x', 'x2'],
      ['y', 'y1'],
      [null, 'n1'],
      [null, 'n2'],
    ] as const) {
      await bench.queue.enqueue({ key, value })
    }
    await bench.turns()
    const first = await next(bench)
    expect(String(first.record.value)).toBe('x1')
    expect(await bench.values()).toEqual(['y1', 'n1', 'n2'])
    await first.release({ delayMs: 500 })
    expect(await bench.values()).toEqual([])
    bench.clock.advance(500)
    const again = await next(bench)
    expect(String(again.record.value)).toBe('x1')
    await again.acknowledge()
    expect(await bench.values()).toEqual(['x2'])
  })
})

describe('a record that cannot be handled', () => {
  test('goes to the dead letters when it is rejected', async () => {
    const dead: Array<[RawRecord, number, string]> = []
    await using bench = await QueueBench.open({
      deadLetter: async (record, { attempts, error }) => {
        dead.push([record, attempts, String(error)])
      },
    })
    await bench.enqueue('a', 'b')
    await (await next(bench)).reject(new Error('unreadable'))
    expect(dead.map(([record, ...rest]) => [String(record.value), ...rest])).toEqual([
      ['a', 1, 'Error: unreadable'],
    ])
    expect(await bench.values()).toEqual(['b'])
    expect(bench.queue.length).toBe(1)
  })

  test('goes there when it was delivered as often as allowed', async () => {
    const dead: number[] = []
    await using bench = await QueueBench.open({
      visibilityTimeoutMs: 1000,
      maxDeliveries: 3,
      deadLetter: async (_record, { attempts }) => void dead.push(attempts),
    })
    await bench.enqueue('a')
    await (await next(bench)).release()
    await next(bench)
    bench.clock.advance(1000)
    await next(bench)
    bench.clock.advance(1000)
    await bench.turns()
    expect([dead, bench.queue.length, await bench.values()]).toEqual([[3], 0, []])
  })

  test('stays in the queue while the dead-letter topic does not take it', async () => {
    let isBroken = true
    await using bench = await QueueBench.open({
      deadLetter: async () => {
        if (isBroken) throw new Error('no room')
      },
    })
    await bench.enqueue('a')
    await expect((await next(bench)).reject()).rejects.toThrow('no room')
    expect([bench.queue.length, bench.queue.inFlight]).toEqual([1, 0])
    bench.clock.advance(1000)
    isBroken = false
    await (await next(bench)).reject()
    expect(bench.queue.length).toBe(0)
  })

  test('is delivered without limit where there are no dead letters', async () => {
    await using bench = await QueueBench.open({ visibilityTimeoutMs: 10 })
    await bench.enqueue('a')
    for (let count = 1; count < 20; count++) {
      expect((await next(bench)).deliveryCount).toBe(count)
      bench.clock.advance(10)
    }
  })
})

describe('after a restart', () => {
  test.each(['cut', 'killed'] as const)(
    '(%s) what was acknowledged is gone, all else is there',
    async (how) => {
      await using bench = await QueueBench.open()
      await bench.enqueue('a', 'b', 'c', 'd', 'e')
      const deliveries = [await next(bench), await next(bench), await next(bench)]
      await deliveries[1]?.acknowledge()
      await deliveries[2]?.release({ delayMs: 5000 })
      await using left = await bench.reopen(how)
      expect([left.queue.length, left.queue.inFlight]).toEqual([4, 0])
      expect(await left.values()).toEqual(['a', 'd', 'e'])
      left.clock.advance(5000)
      const postponed = await next(left)
      expect([String(postponed.record.value), postponed.deliveryCount]).toEqual(['c', 2])
    },
  )

  test('a delivery that killed its process is counted', async () => {
    const bench = await QueueBench.open()
    await bench.enqueue('poison')
    await next(bench)
    const second = await bench.reopen('killed')
    expect((await next(second)).deliveryCount).toBe(2)
    const third = await second.reopen('killed')
    expect((await next(third)).deliveryCount).toBe(3)
    for (const each of [bench, second, third]) await each[Symbol.asyncDispose]()
  })

  test('what is acknowledged at once after it does not bring back what was before', async () => {
    await using bench = await QueueBench.open()
    await bench.enqueue(...Array.from({ length: 300 }, (_, index) => String(index)))
    const kept = await next(bench)
    for (let index = 1; index < 300; index++) await (await next(bench)).acknowledge()
    expect(String(kept.record.value)).toBe('0')
    await using left = await bench.reopen('cut')
    await (await next(left)).release()
    await using again = await left.reopen('cut')
    expect([again.queue.length, await again.values()]).toEqual([1, ['0']])
  })

  test('what the window has not reached yet stays finished', async () => {
    await using bench = await QueueBench.open()
    await bench.enqueue('a', 'b', 'c', 'd')
    const kept = await next(bench)
    for (let index = 0; index < 3; index++) await (await next(bench)).acknowledge()
    expect(String(kept.record.value)).toBe('a')
    await using left = await bench.reopen('cut', { windowRecords: 1 })
    await (await next(left)).release({ delayMs: 1 })
    await using again = await left.reopen('cut')
    again.clock.advance(1)
    expect(await again.values()).toEqual(['a'])
  })

  test('the state log holds a bounded number of keys', async () => {
    await using bench = await QueueBench.open()
    await bench.enqueue(...Array.from({ length: 400 }, (_, index) => String(index)))
    for (let index = 0; index < 400; index++) await (await next(bench)).acknowledge()
    const live = new Map<string, boolean>()
    const log = bench.directory.log('queues', 0)
    for await (const { key, value } of log.reader({ from: 0 }).records()) {
      live.set(key?.toString('hex') ?? '', value !== null)
    }
    expect([...live.values()].filter(Boolean).length).toBeLessThanOrEqual(2)
  })
})

test('records of an open or aborted transaction are not in the queue', async () => {
  await using bench = await QueueBench.open()
  const { marker, transactionalCommit } = await import('../groups/group-fixture.ts')
  const log = bench.directory.log('mail', 0)
  await log.appendBatch(transactionalCommit(7, 0, [['t', 0, 1]]))
  await bench.enqueue('plain')
  expect(await bench.values()).toEqual([])
  await log.appendBatch(marker('abort', 7), { origin: 'coordinator' })
  await bench.turns()
  expect(await bench.values()).toEqual(['plain'])
})

test('records that retention deleted are passed over', async () => {
  await using bench = await QueueBench.open({ windowBytes: 1 })
  await bench.enqueue('a', 'b')
  const log = bench.directory.log('mail', 0)
  await log.roll()
  await bench.enqueue('c')
  await log.deleteSegmentsBefore(2)
  // The first was at hand.
  expect((await bench.values()).filter((value) => value !== 'a')).toEqual(['c'])
})

test('no more are with consumers, or read ahead, than is allowed', async () => {
  await using bench = await QueueBench.open({ maxInFlight: 2, windowRecords: 3 })
  await bench.enqueue('a', 'b', 'c', 'd', 'e')
  const deliveries = [await next(bench), await next(bench)]
  expect(await bench.queue.dequeue({ waitMs: 0 })).toBeNull()
  for (const delivery of deliveries) await delivery.acknowledge()
  expect(bench.queue.length).toBe(3)
  await (await next(bench)).acknowledge()
  await bench.turns()
  expect(await bench.values()).toEqual(['d', 'e'])
})

test('the age of the oldest is that of the first that is not finished', async () => {
  await using bench = await QueueBench.open()
  expect(bench.queue.oldestAgeMs).toBeNull()
  await bench.enqueue('a')
  bench.clock.advance(300)
  await bench.enqueue('b')
  bench.clock.advance(200)
  expect(bench.queue.oldestAgeMs).toBe(500)
  await (await next(bench)).acknowledge()
  expect(bench.queue.oldestAgeMs).toBe(200)
})

test('where a new queue begins in its topic is asked for, and remembered', async () => {
  await using first = await QueueBench.open({ startAt: 'latest' })
  await first.enqueue('a')
  // It had begun before the record came.
  await using again = await first.reopen('cut', { startAt: 'latest' })
  expect(await again.values()).toEqual(['a'])
  const { clock, state, log } = await again.parts()
  const random = () => 0.5
  const context = { name: 'other', topic: 'mail', logs: [log], state, clock, random }
  await using late = await Queue.open(context, { startAt: 'latest' })
  await using early = await Queue.open({ ...context, name: 'third' })
  await again.turns()
  expect([late.length, early.length]).toEqual([0, 1])
})

test('a closed queue ends waiting, and takes nothing more', async () => {
  const bench = await QueueBench.open()
  const waiting = bench.queue.dequeue().catch((error: unknown) => error)
  await bench.turns()
  await bench.queue.close()
  expect(await waiting).toBeInstanceOf(ClosedError)
  await expect(bench.queue.enqueue({ value: 'x' })).rejects.toBeInstanceOf(ClosedError)
  await bench.directory.close()
})

test.each([{ visibilityTimeoutMs: 0 }, { maxDeliveries: 0 }, { maxInFlight: -1 }])(
  'impossible settings are refused: %o',
  async (options) => {
    await expect(QueueBench.open(options)).rejects.toBeInstanceOf(InvalidArgumentError)
  },
)

test('a consumer that waits because too many records are out gets one when another is done', async () => {
  await using bench = await QueueBench.open({ maxInFlight: 1 })
  await bench.enqueue('a', 'b', 'c')
  const first = await next(bench)
  const waiting = bench.queue.dequeue()
  await bench.turns()
  await first.acknowledge()
  const second = await waiting
  expect(String(second?.record.value)).toBe('b')
  const again = bench.queue.dequeue()
  await bench.turns()
  await second?.release({ delayMs: 1000 })
  expect(String((await again)?.record.value)).toBe('c')
})

test('a record that comes just after it was looked for wakes whoever looked', async () => {
  await using bench = await QueueBench.open()
  for (let round = 0; round < 20; round++) {
    // Some microtasks later than the look: between it and the waiting, in one of the rounds.
    const enqueued = bench.queue.enqueue({ value: 'a' })
    for (let tick = 0; tick < round; tick++) await null
    const delivery = await bench.queue.dequeue()
    await enqueued
    await delivery?.acknowledge()
  }
  expect(bench.queue.length).toBe(0)
})

test('parts of a millisecond are waited for, and a delay that is none is refused', async () => {
  await using bench = await QueueBench.open()
  await bench.queue.enqueue({ value: 'a' }, { delayMs: 99.5 })
  await bench.turns()
  bench.clock.advance(99)
  expect(await bench.values()).toEqual([])
  bench.clock.advance(1)
  const delivery = await next(bench)
  for (const delayMs of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
    await expect(bench.queue.enqueue({ value: 'b' }, { delayMs })).rejects.toThrow(
      InvalidArgumentError,
    )
    await expect(delivery.release({ delayMs })).rejects.toThrow(InvalidArgumentError)
  }
  await delivery.release({ delayMs: 49.5 })
  bench.clock.advance(49)
  expect(await bench.values()).toEqual([])
  bench.clock.advance(1)
  expect(await bench.values()).toEqual(['a'])
  await expect(bench.queue.dequeue({ waitMs: Number.NaN })).rejects.toThrow(InvalidArgumentError)
})

test('a record is not delivered when the time that it has itself is over', async () => {
  await using bench = await QueueBench.open()
  const headers = [{ key: 'varve-expires-at', value: String(bench.clock.now() + 1000) }]
  await bench.queue.enqueue({ value: 'brief', headers })
  await bench.enqueue('lasting')
  bench.clock.advance(1000)
  expect(await bench.values()).toEqual(['lasting'])
  await bench.turns()
  expect(bench.queue.length).toBe(1)
})

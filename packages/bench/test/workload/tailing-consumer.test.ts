import { openVarve } from '@varve/broker'
import { systemClock } from '@varve/log'
import { ManualClock, makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { assignedTail } from '../../src/workload/end-to-end-run.ts'
import { dueHeader } from '../../src/workload/producing-load.ts'
import { RunGauges } from '../../src/workload/run-gauges.ts'
import { TailingConsumer } from '../../src/workload/tailing-consumer.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())

function dated(dueMs: number): { key: string; value: Buffer }[] {
  const value = Buffer.alloc(8)
  value.writeDoubleLE(dueMs)
  return [{ key: dueHeader, value }]
}

describe('a tailing consumer', () => {
  test('counts from when a record was due, and only those that count', async () => {
    await using varve = await openVarve(`${temporary.path}/data`)
    await varve.createTopic('orders')
    const clock = new ManualClock()
    clock.advance(1000)
    using gauges = new RunGauges({ clock }, false)
    const consumer = varve.consumer(assignedTail('orders', 1))
    await using tail = new TailingConsumer(consumer, clock, gauges)
    await tail.start()
    const records = [dated(-900), dated(990), dated(950), [], [{ key: dueHeader, value: 'short' }]]
    const producer = varve.producer()
    for (const headers of records) await producer.send('orders', { value: 'abc', headers })
    await tail.complete(2)
    const measured = gauges.measurement({
      ...{ rate: null, latencyKind: 'end-to-end', isSpinning: false },
    })
    expect(measured).toMatchObject({ records: 2, payloadBytes: 6 })
    expect(measured.latency).toMatchObject({ count: 2, meanMs: 30, maxMs: 50 })
  })

  test('tells what keeps the records from being read', async () => {
    await using varve = await openVarve(`${temporary.path}/deleted`)
    await varve.createTopic('orders')
    using gauges = new RunGauges({ clock: systemClock }, false)
    const consumer = varve.consumer(assignedTail('orders', 1))
    await using tail = new TailingConsumer(consumer, systemClock, gauges)
    await tail.start()
    const complete = tail.complete(1)
    const failed = expect(complete).rejects.toThrow()
    await varve.deleteTopic('orders')
    await failed
  })
})

describe('gauges', () => {
  test('before anything counts, there is nothing', () => {
    using gauges = new RunGauges({ clock: new ManualClock() }, true)
    const facts = { rate: 10, latencyKind: 'intended', isSpinning: false } as const
    const measured = gauges.measurement(facts)
    expect(measured).toMatchObject({ records: 0, seconds: 0, recordsPerSecond: 0, intervals: [] })
    expect(measured.engine).toMatchObject({ flushes: 0 })
  })

  test('time runs from when the first record was due, though it was sent later', () => {
    const clock = new ManualClock()
    clock.advance(5000)
    using gauges = new RunGauges({ clock, intervalMs: 1000 }, false)
    gauges.startCounting(4000)
    gauges.series.add(clock.monotonic(), 10, 1000)
    const facts = { rate: 1, latencyKind: 'intended', isSpinning: false } as const
    expect(gauges.measurement(facts)).toMatchObject({ seconds: 1, startedMs: clock.now() - 1000 })
  })

  test('counting starts once', () => {
    const clock = new ManualClock()
    using gauges = new RunGauges({ clock, intervalMs: 1000 }, false)
    gauges.startCounting()
    clock.advance(500)
    gauges.startCounting()
    gauges.series.add(clock.monotonic(), 10, 1)
    const facts = { rate: 10, latencyKind: 'intended', isSpinning: false } as const
    expect(gauges.measurement(facts)).toMatchObject({ seconds: 0.5, recordsPerSecond: 2 })
  })
})

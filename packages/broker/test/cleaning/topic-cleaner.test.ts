import { expect, test } from 'vitest'
import { newMachine, openOn, takeValues, turns, valuesOf } from '../broker-fixture.ts'

const hourMs = 3_600_000

test('topics lose their old segments by their own settings, by themselves', async () => {
  const machine = newMachine()
  await using varve = await openOn(machine, { cleaning: { retentionIntervalMs: 1000 } })
  await varve.createTopic('short', { retentionMs: hourMs, segmentBytes: 200 })
  await varve.createTopic('long', { segmentBytes: 200 })
  for (const topic of ['short', 'long']) {
    for (let index = 0; index < 10; index++)
      await varve.log(topic, 0).append({ value: 'x'.repeat(50) })
  }
  machine.clock.advance(1000)
  await turns()
  expect(varve.log('short', 0).logStartOffset).toBe(0)
  machine.clock.advance(2 * hourMs)
  await turns()
  machine.clock.advance(1000)
  await turns(100)
  expect(varve.log('short', 0).logStartOffset).toBeGreaterThan(0)
  expect(varve.log('long', 0).logStartOffset).toBe(0)
})

test('a compacted topic keeps the latest of every key, and internal topics are compacted', async () => {
  const machine = newMachine()
  await using varve = await openOn(machine, { cleaning: false })
  await varve.createTopic('c', {
    cleanupPolicy: 'compact',
    segmentBytes: 200,
    minCleanableDirtyRatio: 0,
  })
  const producer = varve.producer()
  for (let index = 0; index < 30; index++) {
    await producer.send('c', { key: `k${index % 3}`, value: `${index}` })
  }
  await varve.log('c', 0).roll()
  await varve.cleaner.runOnce()
  expect(varve.cleaner.failures.size).toBe(0)
  expect((await valuesOf(varve.log('c', 0))).slice(-3)).toEqual(['27', '28', '29'])
  expect((await valuesOf(varve.log('c', 0))).length).toBeLessThan(10)
})

test('retention waits for the groups that a topic names, up to its caps', async () => {
  const machine = newMachine()
  await using varve = await openOn(machine, { cleaning: false })
  const settings = { retentionMs: hourMs, segmentBytes: 200, holdForGroups: ['slow'] }
  await varve.createTopic('held', settings)
  for (let index = 0; index < 10; index++) {
    await varve.log('held', 0).append({ value: `${index}`.padEnd(50) })
  }
  await varve.log('held', 0).roll()
  machine.clock.advance(2 * hourMs)
  await varve.cleaner.runOnce()
  await turns()
  expect(varve.log('held', 0).logStartOffset).toBe(0)
  const consumer = varve.consumer({ group: 'slow', topics: ['held'] })
  await takeValues(consumer, 5)
  await consumer.commit()
  await consumer.close()
  await varve.cleaner.runOnce()
  const { logStartOffset } = varve.log('held', 0)
  expect(logStartOffset).toBeGreaterThan(0)
  expect(logStartOffset).toBeLessThanOrEqual(5)
  await varve.alterTopic('held', { holdMsMax: 1000 })
  await varve.cleaner.runOnce()
  expect(varve.log('held', 0).logStartOffset).toBe(10)
})

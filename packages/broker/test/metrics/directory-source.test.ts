import { expect, test } from 'vitest'
import type { Metrics } from '../../src/metrics/metrics.ts'
import { newMachine, openOn, takeValues } from '../broker-fixture.ts'

/** The series of some metrics with their values, as Prometheus would read them. */
async function seriesOf(metrics: Metrics, ...names: readonly string[]): Promise<string[]> {
  const lines = (await metrics.text()).split('\n')
  return lines.filter((line) => names.some((name) => line.startsWith(`varve_${name}`)))
}

test('the metrics of a data directory show what a program does with it', async () => {
  const varve = await openOn(newMachine())
  const metrics = varve.metrics({ processMetrics: false })
  await varve.createTopic('orders', { partitions: 2 })
  await varve.producer().send('orders', [{ value: 'a' }, { value: 'b' }, { value: 'c' }], {
    partition: 1,
  })
  // Looking makes no groups.
  expect(await seriesOf(metrics, 'group_')).toEqual([])
  expect(await varve.listTopics({ internal: true })).not.toContain('__consumer_offsets')
  const consumer = varve.consumer({ group: 'billing', topics: ['orders'] })
  expect(await takeValues(consumer, 3)).toEqual(['a', 'b', 'c'])
  await consumer.commit([{ topic: 'orders', partition: 1, offset: 2 }])
  const mail = await varve.queue('mail')
  await mail.enqueue({ value: 'hello' })
  await mail.enqueue({ value: 'again' })
  await mail.dequeue()

  const place = '{topic="orders",partition="1"}'
  expect(await seriesOf(metrics, 'log_high_watermark')).toContain(
    `varve_log_high_watermark${place} 3`,
  )
  expect(await seriesOf(metrics, 'log_segments')).toContain(`varve_log_segments${place} 1`)
  expect(await seriesOf(metrics, 'read_records')).toEqual([
    'varve_read_records_total{topic="orders"} 3',
  ])
  expect(await seriesOf(metrics, 'group_lag', 'group_committed')).toEqual([
    'varve_group_lag{group="billing",topic="orders",partition="1"} 1',
    'varve_group_committed_offset{group="billing",topic="orders",partition="1"} 2',
  ])
  expect(await seriesOf(metrics, 'queue_length', 'queue_in_flight')).toEqual([
    'varve_queue_length{queue="mail"} 1',
    'varve_queue_in_flight{queue="mail"} 1',
  ])
  await varve.deleteTopic('orders')
  expect(await seriesOf(metrics, 'log_size_bytes{topic="orders"')).toEqual([])
})

test('the metrics of a data directory end with it', async () => {
  const varve = await openOn(newMachine())
  const metrics = varve.metrics({ processMetrics: false })
  await varve.createTopic('orders')
  await varve.close()
  const before = await seriesOf(metrics, 'appends_total', 'log_')
  expect(before.filter((line) => line.startsWith('varve_log_'))).toEqual([])
  await using other = await openOn(newMachine())
  await other.createTopic('others')
  await other.producer().send('others', { value: 'x' })
  expect(await seriesOf(metrics, 'appends_total', 'log_')).toEqual(before)
})

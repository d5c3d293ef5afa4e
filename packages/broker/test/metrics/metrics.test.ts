import { LogDirectory } from '@varve/log'
import { SimulatedFileSystem } from '@varve/log/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { brokerChannels } from '../../src/base/diagnostics.ts'
import type { MetricsSource } from '../../src/metrics/measured.ts'
import { Metrics } from '../../src/metrics/metrics.ts'

const nothing: MetricsSource = {
  ...{ logs: () => [], groups: () => [], queues: () => [] },
  isRetentionHeld: () => false,
}

/** The value of a series, as Prometheus would read it; null where it is not there. */
function valueIn(text: string, series: string): number | null {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `))
  return line === undefined ? null : Number(line.slice(series.length + 1))
}

describe('metrics', () => {
  let metrics: Metrics
  let directory: LogDirectory

  beforeEach(async () => {
    directory = await LogDirectory.open('/data', { fs: new SimulatedFileSystem() })
  })

  afterEach(async () => {
    metrics.close()
    await directory.close()
  })

  test('count what the engine appends, flushes, rolls and deletes', async () => {
    metrics = new Metrics(nothing, { processMetrics: false })
    const log = await directory.createLog('orders', 0)
    await log.append([{ value: 'a' }, { value: 'b' }])
    await log.append({ value: 'c' }, { acks: 'written' })
    const [segment] = log.segments()
    await log.roll()
    await log.append({ value: 'd' })
    await log.deleteSegmentsBefore(3)
    const text = await metrics.text()
    expect(valueIn(text, 'varve_appends_total')).toBe(3)
    expect(valueIn(text, 'varve_appended_records_total')).toBe(4)
    const sizes = log.segments().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const deleted = segment?.sizeBytes ?? 0
    expect(valueIn(text, 'varve_appended_bytes_total')).toBe(sizes + deleted)
    expect(valueIn(text, 'varve_flush_records_sum')).toBe(4)
    expect(valueIn(text, 'varve_flush_seconds_count')).toBe(
      valueIn(text, 'varve_flushes_total') as number,
    )
    expect(valueIn(text, 'varve_segment_rolls_total{reason="request"}')).toBe(1)
    expect(text).toMatch(new RegExp(`varve_deleted_bytes_total\\{reason="\\w+"\\} ${deleted}\\n`))
    expect(text).toContain('varve_flush_seconds_bucket{le="0.00005"}')
  })

  test('count what consumers read, by topic, and no more once closed', async () => {
    metrics = new Metrics(nothing, { processMetrics: false })
    const event = { topic: 'orders', partition: 0, records: 7, sizeBytes: 900 }
    brokerChannels.read.publish(event)
    brokerChannels.read.publish(event)
    metrics.close()
    brokerChannels.read.publish(event)
    const text = await metrics.text()
    expect(valueIn(text, 'varve_read_records_total{topic="orders"}')).toBe(14)
    expect(valueIn(text, 'varve_read_bytes_total{topic="orders"}')).toBe(1800)
  })

  test('say how things stand when they are read, and forget what is gone', async () => {
    let isThere = true
    const only = <Each>(each: Each): Each[] => (isThere ? [each] : [])
    const at = { topic: 'orders', partition: 3 }
    metrics = new Metrics(
      {
        logs: () =>
          only({
            ...at,
            segments: 2,
            sizeBytes: 100,
            logStartOffset: 5,
            highWatermark: 8,
            logEndOffset: 9,
          }),
        groups: () => only({ group: 'billing', ...at, committedOffset: 6, lag: 2 }),
        queues: () => only({ queue: 'mail', length: 4, inFlight: 1, oldestAgeMs: 1500 }),
        isRetentionHeld: () => isThere,
      },
      { processMetrics: false },
    )
    const text = await metrics.text()
    const partition = '{topic="orders",partition="3"}'
    expect(valueIn(text, `varve_log_size_bytes${partition}`)).toBe(100)
    expect(valueIn(text, 'varve_retention_held')).toBe(1)
    expect(valueIn(text, `varve_log_segments${partition}`)).toBe(2)
    expect(valueIn(text, `varve_log_end_offset${partition}`)).toBe(9)
    expect(valueIn(text, 'varve_group_lag{group="billing",topic="orders",partition="3"}')).toBe(2)
    expect(valueIn(text, 'varve_queue_length{queue="mail"}')).toBe(4)
    expect(valueIn(text, 'varve_queue_oldest_age_seconds{queue="mail"}')).toBe(1.5)
    isThere = false
    const later = await metrics.text()
    expect(later).not.toContain('orders')
    expect(later).not.toContain('mail')
  })

  test('are of the process too, unless they are not wanted', async () => {
    metrics = new Metrics(nothing)
    expect(await metrics.text()).toContain('nodejs_eventloop_lag_p99_seconds')
    expect(metrics.contentType).toContain('text/plain')
  })
})

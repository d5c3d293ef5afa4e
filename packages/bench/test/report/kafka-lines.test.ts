import { expect, test } from 'vitest'
import {
  consumerHeader,
  consumerTotalLine,
  endToEndLines,
  producerIntervalLine,
  producerTotalLine,
} from '../../src/report/kafka-lines.ts'
import { interval, latency, measurement } from './report-samples.ts'

// The patterns are those with which people's scripts read what Kafka's tools print.

test('the closing line of a producer is read by what reads that of kafka-producer-perf-test', () => {
  const line = producerTotalLine(measurement({ records: 50_000, recordsPerSecond: 9999.87654321 }))
  const pattern =
    /^(\d+) records sent, (\d+\.\d+) records\/sec \((\d+\.\d{2}) MB\/sec\), (\d+\.\d{2}) ms avg latency, (\d+\.\d{2}) ms max latency, (\d+) ms 50th, (\d+) ms 95th, (\d+) ms 99th, (\d+) ms 99\.9th\.$/
  const [, ...numbers] = (pattern.exec(line) ?? []).map(Number)
  expect(numbers).toEqual([50_000, 9999.876543, 9.77, 2.5, 88.13, 2, 7, 20, 61])
})

test('so is a line of progress', () => {
  const line = producerIntervalLine([
    interval({ records: 1000, seconds: 1, bytes: 2 ** 20, meanMs: 2, maxMs: 9 }),
    interval({ records: 3000, seconds: 1, bytes: 2 ** 20, meanMs: 4, maxMs: 30.04 }),
  ])
  const pattern =
    /^(\d+) records sent, (\d+\.\d) records\/sec \((\d+\.\d{2}) MB\/sec\), (\d+\.\d) ms avg latency, (\d+\.\d) ms max latency\.$/
  const [, ...numbers] = (pattern.exec(line) ?? []).map(Number)
  expect(numbers).toEqual([4000, 2000, 1, 3.5, 30])
})

test('progress without records has no rates that are no numbers', () => {
  expect(producerIntervalLine([])).not.toMatch(/NaN|Infinity/)
})

test('a consumer ends with the columns and the row of kafka-consumer-perf-test', () => {
  const startedMs = Date.UTC(2026, 10, 21, 10, 0, 0, 200)
  const line = consumerTotalLine(
    measurement({ startedMs, rebalanceMs: 200, seconds: 2, records: 4000, payloadBytes: 2 ** 22 }),
  )
  const columns = consumerHeader.split(', ')
  const row = line.split(', ')
  expect(row).toHaveLength(columns.length)
  const cells = Object.fromEntries(columns.map((column, at) => [column, row[at]]))
  expect(cells).toEqual({
    'start.time': '2026-11-21 10:00:00:000',
    'end.time': '2026-11-21 10:00:02:200',
    'data.consumed.in.MB': '4.0000',
    'MB.sec': '1.8182',
    'data.consumed.in.nMsg': '4000',
    'nMsg.sec': '1818.1818',
    'rebalance.time.ms': '200',
    'fetch.time.ms': '2000',
    'fetch.MB.sec': '2.0000',
    'fetch.nMsg.sec': '2000.0000',
  })
})

test('end to end ends with the lines of kafka-e2e-latency', () => {
  const [average, percentiles] = endToEndLines(measurement({ latency }))
  expect(average).toMatch(/^Avg latency: \d+\.\d{4} ms$/)
  expect(percentiles).toBe('Percentiles: 50th = 2, 99th = 20, 99.9th = 61')
})

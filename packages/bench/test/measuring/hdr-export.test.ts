import hdr from 'hdr-histogram-js'
import { expect, test } from 'vitest'
import { encodeCounts, packCounts } from '../../src/measuring/hdr-encoding.ts'
import { histogramLog, histogramText } from '../../src/measuring/hdr-export.ts'
import type { Interval } from '../../src/measuring/interval-series.ts'
import { LatencyHistogram } from '../../src/measuring/latency-histogram.ts'

function encodeHistogram({ counts }: LatencyHistogram): string {
  return encodeCounts(packCounts(counts))
}

function histogramOf(...latencies: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram()
  for (const latency of latencies) histogram.record(latency)
  return histogram
}

function intervalOf(startSeconds: number, histogram: LatencyHistogram | null): Interval {
  const { meanMs, p50Ms, p99Ms, maxMs } = (histogram ?? histogramOf()).figures()
  return {
    ...{ startSeconds, seconds: 1, records: 1, bytes: 1, meanMs, p50Ms, p99Ms, maxMs },
    histogram: histogram === null ? null : encodeHistogram(histogram),
  }
}

test('its reader of logs reads each interval of a log, and skips those without records', () => {
  const intervals = [
    intervalOf(0, histogramOf(1, 2, 3)),
    intervalOf(1, null),
    intervalOf(2, histogramOf(40)),
  ]
  const reader = new hdr.HistogramLogReader(histogramLog(1_790_000_000_000, intervals))
  const first = reader.nextIntervalHistogram()
  const second = reader.nextIntervalHistogram()
  expect((first as hdr.Histogram).totalCount).toBe(3)
  expect((first as hdr.Histogram).startTimeStampMsec).toBe(1_790_000_000_000)
  expect((second as hdr.Histogram).totalCount).toBe(1)
  expect((second as hdr.Histogram).startTimeStampMsec).toBe(1_790_000_002_000)
  expect((second as hdr.Histogram).maxValue / 1e6).toBeCloseTo(40, 0)
  expect(reader.nextIntervalHistogram()).toBe(null)
})

test('the distribution has the columns of a .hgrm file, in milliseconds', () => {
  const text = histogramText(encodeHistogram(histogramOf(1, 2, 3, 4)))
  expect(text).toMatch(/Value\s+Percentile\s+TotalCount\s+1\/\(1-Percentile\)/)
  const last = /#\[Max\s+=\s+([\d.]+), Total count\s+=\s+(\d+)\]/.exec(text)
  expect(Number(last?.[1])).toBeCloseTo(4, 1)
  expect(last?.[2]).toBe('4')
})

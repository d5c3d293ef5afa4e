import { createRequire } from 'node:module'
import type { Histogram } from 'hdr-histogram-js'
import type { Interval } from './interval-series.ts'
import type { LatencyHistogram } from './latency-histogram.ts'

const { build, decodeFromCompressedBase64, encodeIntoCompressedBase64 } = createRequire(
  import.meta.url,
)('hdr-histogram-js') as typeof import('hdr-histogram-js')

/** An hour is the most that these histograms tell apart, in nanoseconds. */
const highestTrackableValue = 3_600_000_000_000
const nanosecondsPerMs = 1e6

/** The histogram in HdrHistogram's compressed V2 encoding, in base64. */
export function encodeHistogram(histogram: LatencyHistogram): string {
  return encodeIntoCompressedBase64(hdrOf(histogram))
}

/**
 * The intervals as a log (`.hlog`, version 1.3) that HdrHistogram's own tools read: a histogram a
 * line, in nanoseconds, times in seconds from the start; the largest value of each stands in
 * milliseconds.
 */
export function histogramLog(startedMs: number, intervals: readonly Interval[]): string {
  const started = (startedMs / 1000).toFixed(3)
  const date = new Date(startedMs).toISOString()
  return [
    '#[Histogram log format version 1.3]',
    `#[StartTime: ${started} (seconds since epoch), ${date}]`,
    '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    ...intervals.flatMap(({ startSeconds, seconds, maxMs, histogram }) => {
      if (histogram === null) return []
      const numbers = [startSeconds, seconds, maxMs].map((number) => number.toFixed(3))
      return [[...numbers, histogram].join(',')]
    }),
    '',
  ].join('\n')
}

/**
 * An encoded histogram as the text (`.hgrm`) that HdrHistogram's plotter takes, in milliseconds.
 */
export function histogramText(encoded: string): string {
  return decodeFromCompressedBase64(encoded).outputPercentileDistribution(5, nanosecondsPerMs)
}

function hdrOf(histogram: LatencyHistogram): Histogram {
  const hdr = build({
    bitBucketSize: 64,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue,
    numberOfSignificantValueDigits: 3,
  })
  for (const { value, count } of histogram.counts()) {
    hdr.recordValueWithCount(Math.min(value, highestTrackableValue), count)
  }
  return hdr
}

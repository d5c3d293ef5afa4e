import { createRequire } from 'node:module'
import type { Interval } from './interval-series.ts'

const nanosecondsPerMs = 1e6

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
  // Loaded where it is needed: it takes longer to load than most of what is measured.
  const { decodeFromCompressedBase64 } = createRequire(import.meta.url)(
    'hdr-histogram-js',
  ) as typeof import('hdr-histogram-js')
  return decodeFromCompressedBase64(encoded).outputPercentileDistribution(5, nanosecondsPerMs)
}

import type { IntervalFigures } from '../measuring/interval-series.ts'
import type { Measurement } from './run-report.ts'

// What kafka-producer-perf-test, kafka-consumer-perf-test and kafka-e2e-latency print, to the
// character, so that whatever reads their output reads this.

const mebibyte = 2 ** 20

/** A stretch of a run of producers, as ProducerPerformance prints every five seconds. */
export function producerIntervalLine(intervals: readonly IntervalFigures[]): string {
  const { records, bytes, seconds, meanMs, maxMs } = merged(intervals)
  const rate = seconds > 0 ? records / seconds : 0
  const megabytes = seconds > 0 ? bytes / seconds / mebibyte : 0
  return (
    `${records} records sent, ${rate.toFixed(1)} records/sec (${megabytes.toFixed(2)} MB/sec), ` +
    `${meanMs.toFixed(1)} ms avg latency, ${maxMs.toFixed(1)} ms max latency.`
  )
}

/** The last line of ProducerPerformance. Its percentiles are whole milliseconds. */
export function producerTotalLine(measurement: Measurement): string {
  const { records, recordsPerSecond, mebibytesPerSecond, latency } = measurement
  const { meanMs = 0, maxMs = 0, p50Ms = 0, p95Ms = 0, p99Ms = 0, p999Ms = 0 } = latency ?? {}
  const whole = (milliseconds: number): string => Math.round(milliseconds).toFixed(0)
  return (
    `${records} records sent, ${recordsPerSecond.toFixed(6)} records/sec ` +
    `(${mebibytesPerSecond.toFixed(2)} MB/sec), ${meanMs.toFixed(2)} ms avg latency, ` +
    `${maxMs.toFixed(2)} ms max latency, ${whole(p50Ms)} ms 50th, ${whole(p95Ms)} ms 95th, ` +
    `${whole(p99Ms)} ms 99th, ${whole(p999Ms)} ms 99.9th.`
  )
}

/** The first line of ConsumerPerformance. */
export const consumerHeader: string =
  'start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, ' +
  'rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec'

/** The figures under it. Kafka's time of fetching is all the time but that of the rebalance. */
export function consumerTotalLine(measurement: Measurement): string {
  const { records, payloadBytes, seconds, startedMs, rebalanceMs } = measurement
  const rebalance = Math.round(rebalanceMs ?? 0)
  const fetchMs = Math.max(1, Math.round(seconds * 1000))
  const allMs = fetchMs + rebalance
  const megabytes = payloadBytes / mebibyte
  const perSecond = (amount: number, milliseconds: number): string =>
    ((amount * 1000) / milliseconds).toFixed(4)
  return [
    kafkaTime(startedMs - rebalance),
    kafkaTime(startedMs + fetchMs),
    megabytes.toFixed(4),
    perSecond(megabytes, allMs),
    records,
    perSecond(records, allMs),
    rebalance,
    fetchMs,
    perSecond(megabytes, fetchMs),
    perSecond(records, fetchMs),
  ].join(', ')
}

/** The last two lines of EndToEndLatency. */
export function endToEndLines({ latency }: Measurement): readonly string[] {
  const { meanMs = 0, p50Ms = 0, p99Ms = 0, p999Ms = 0 } = latency ?? {}
  const whole = (milliseconds: number): string => Math.round(milliseconds).toFixed(0)
  return [
    `Avg latency: ${meanMs.toFixed(4)} ms`,
    `Percentiles: 50th = ${whole(p50Ms)}, 99th = ${whole(p99Ms)}, 99.9th = ${whole(p999Ms)}`,
  ]
}

/** `2026-11-21 10:00:00:123`: Kafka's default date format, in UTC. */
function kafkaTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('T', ' ').replace('.', ':').replace('Z', '')
}

export function merged(intervals: readonly IntervalFigures[]): IntervalFigures {
  const sum = (of: (interval: IntervalFigures) => number): number =>
    intervals.reduce((total, interval) => total + of(interval), 0)
  const records = sum((interval) => interval.records)
  const weighted = sum((interval) => interval.meanMs * interval.records)
  const worst = (of: (interval: IntervalFigures) => number): number =>
    Math.max(0, ...intervals.map(of))
  return {
    startSeconds: intervals[0]?.startSeconds ?? 0,
    seconds: sum((interval) => interval.seconds),
    records,
    bytes: sum((interval) => interval.bytes),
    meanMs: records === 0 ? 0 : weighted / records,
    p50Ms: worst((interval) => interval.p50Ms),
    p99Ms: worst((interval) => interval.p99Ms),
    maxMs: worst((interval) => interval.maxMs),
  }
}

import type { IntervalFigures } from '../measuring/interval-series.ts'
import type { LatencyFigures } from '../measuring/latency-histogram.ts'
import type { Machine } from '../measuring/machine.ts'
import { latencyNames } from './html-report.ts'
import { merged } from './kafka-lines.ts'
import type { Measurement, TaskFigure } from './run-report.ts'

/** What Kafka's tools do not tell of a measurement, as lines for people. */
export function measurementLines(measurement: Measurement): readonly string[] {
  const { latency, latencyKind, sendDelay, engine, process } = measurement
  const lines: string[] = []
  if (latency !== null && latencyKind !== null) {
    lines.push(`${latencyNames[latencyKind]}: ${percentilesText(latency)}`)
  }
  if (sendDelay !== null) lines.push(`sent after they were due: ${percentilesText(sendDelay)}`)
  if (engine !== null) {
    const { recordsPerFlush, flushesPerSecond, meanFlushMs, bytesPerPayloadByte } = engine
    const flushes =
      `${round(recordsPerFlush)} records per flush, ${round(flushesPerSecond)} flushes/s, ` +
      `${round(meanFlushMs)} ms per flush`
    const written = `${round(bytesPerPayloadByte)} bytes written per byte`
    lines.push(`${engine.flushes === 0 ? 'no flushes' : flushes}, ${written}`)
  }
  const { eventLoopUtilization: utilization } = process
  const loop =
    utilization === null ? 'turning to send in time' : `${round(utilization * 100)} % busy`
  lines.push(
    `${round(process.cpuSecondsPerMillionRecords)} CPU s per million records, ` +
      `${round(process.residentMiB)} MiB resident, event loop ${loop}, ` +
      `late by ${round(process.eventLoopDelayP99Ms)} ms (99 %), ` +
      `${round(process.eventLoopDelayMaxMs)} ms (max)`,
  )
  return lines
}

/** A stretch of a run of consumers; Kafka's tool says nothing for people meanwhile. */
export function consumerIntervalLine(intervals: readonly IntervalFigures[]): string {
  const { records, bytes, seconds } = merged(intervals)
  const rate = seconds > 0 ? records / seconds : 0
  const mebibytes = seconds > 0 ? bytes / seconds / 2 ** 20 : 0
  return `${records} records read, ${rate.toFixed(1)} records/sec (${mebibytes.toFixed(2)} MB/sec).`
}

/** By so much longer than it was due a run takes without a word. */
const lateSecondsMin = 0.1
const latePartMin = 0.02

/** That a rate was not reached, which its latencies can only be read with; null where it was. */
export function unmetRateNote({ rate, records, seconds, latency }: Measurement): string | null {
  if (rate === null) return null
  const dueSeconds = records / rate
  // What is sent last is acknowledged later, as everything is.
  const lateSeconds = seconds - (latency?.p50Ms ?? 0) / 1000 - dueSeconds
  if (lateSeconds < Math.max(lateSecondsMin, latePartMin * dueSeconds)) return null
  return (
    `${rate} records/s were not reached: to send them took ${round(seconds)} s instead of ` +
    `${round(dueSeconds)}, and latency grows with the length of such a run`
  )
}

/** What the figures depend on besides the run, in a line. */
export function machineLine(machine: Machine): string {
  const { cpu, cpus, memoryGiB, kernel, node, fileSystem, device, loadAverage } = machine
  const type = fileSystem.split(' ', 1)[0]
  return (
    `${cpus} × ${cpu}, ${memoryGiB} GiB; ${kernel}; Node ${node}; ${type} on ${device}; ` +
    `load ${loadAverage.join(' ')}`
  )
}

/** A task in a line: how long it took, and at what rate. */
export function taskLine({
  name,
  bytes,
  records,
  seconds,
  megabytesPerSecond,
}: TaskFigure): string {
  const { median, min, max, samples } = seconds
  const amount = `${round(bytes / 1e6)} MB${records === null ? '' : `, ${records} records`}`
  const spread = samples.length > 1 ? ` (${min.toFixed(3)} … ${max.toFixed(3)})` : ''
  return `${name}: ${amount} in ${median.toFixed(3)} s${spread}, ${round(megabytesPerSecond)} MB/s`
}

function percentilesText(figures: LatencyFigures): string {
  const { meanMs, p50Ms, p95Ms, p99Ms, p999Ms, p9999Ms, maxMs } = figures
  const parts = [
    `mean ${round(meanMs)}`,
    `50 % ${round(p50Ms)}`,
    `95 % ${round(p95Ms)}`,
    `99 % ${round(p99Ms)}`,
    `99.9 % ${round(p999Ms)}`,
    `99.99 % ${round(p9999Ms)}`,
    `max ${round(maxMs)}`,
  ]
  return `${parts.join(', ')} ms`
}

/** Three digits; whole from 1,000 on. */
function round(value: number): string {
  return value >= 1000 ? Math.round(value).toString() : String(Number(value.toPrecision(3)))
}

import type { Interval } from '../../src/measuring/interval-series.ts'
import type { LatencyFigures } from '../../src/measuring/latency-histogram.ts'
import type { Measurement, RunReport } from '../../src/report/run-report.ts'

export const latency: LatencyFigures = {
  ...{ count: 50_000, meanMs: 2.5, p50Ms: 1.9, p95Ms: 7.2, p99Ms: 20.1 },
  ...{ p999Ms: 60.6, p9999Ms: 80, maxMs: 88.125 },
}

export function interval(given: Partial<Interval>): Interval {
  return {
    ...{ startSeconds: 0, seconds: 1, records: 10, bytes: 1000 },
    ...{ meanMs: 1, p50Ms: 1, p99Ms: 2, maxMs: 3, histogram: null },
    ...given,
  }
}

export function measurement(given: Partial<Measurement>): Measurement {
  return {
    ...{ rate: null, records: 50_000, payloadBytes: 51_200_000, seconds: 5 },
    ...{ recordsPerSecond: 10_000, mebibytesPerSecond: 9.765625 },
    ...{ latencyKind: 'service', latency, sendDelay: null, histogram: null, rebalanceMs: null },
    engine: {
      ...{ writes: 100, writtenBytes: 56_000_000, flushes: 50, flushesPerSecond: 10 },
      ...{ recordsPerFlush: 1000, meanFlushMs: 1.5, bytesPerPayloadByte: 1.09375 },
    },
    process: {
      ...{ cpuSeconds: 0.1, cpuSecondsPerMillionRecords: 2, residentMiB: 120 },
      ...{ eventLoopUtilization: 0.75, eventLoopDelayP99Ms: 1, eventLoopDelayMaxMs: 4 },
    },
    startedMs: 1_790_000_000_000,
    intervals: [interval({}), interval({ startSeconds: 1 })],
    ...given,
  }
}

export function runReport(given: Partial<RunReport>): RunReport {
  return {
    schema: 'varve-bench/1',
    kind: 'produce',
    startedAt: '2026-11-21T10:00:00.000Z',
    machine: {
      ...{ cpu: 'a <fast> one', cpus: 2, memoryGiB: 8, kernel: 'Linux', node: 'v20' },
      ...{ fileSystem: 'ext4', device: '/dev/vda1', loadAverage: [0.1, 0.2, 0.3] },
    },
    conditions: { acks: 'flushed', payload: 'JSON & more' },
    measurements: [],
    tasks: [],
    notes: [],
    ...given,
  }
}

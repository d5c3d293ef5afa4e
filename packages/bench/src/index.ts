/**
 * Workload runs of Varve: producing, consuming, end to end, recovery, compaction and backups, with
 * latencies that hide nothing, and reports of them.
 *
 * @packageDocumentation
 */
export type { EngineFigures } from './measuring/engine-watch.ts'
export { histogramLog, histogramText } from './measuring/hdr-export.ts'
export type { Interval, IntervalFigures } from './measuring/interval-series.ts'
export { type LatencyFigures, LatencyHistogram } from './measuring/latency-histogram.ts'
export { describeMachine, type Machine } from './measuring/machine.ts'
export { machineClock } from './measuring/machine-clock.ts'
export type { ProcessFigures } from './measuring/process-watch.ts'
export { medianOf, type Spread, spreadOf } from './measuring/spread.ts'
export { jsonEvent } from './payload/json-event.ts'
export {
  type KeyDistribution,
  type KeyOptions,
  keysOf,
  type NextKey,
} from './payload/key-distribution.ts'
export {
  generatePayload,
  type Payload,
  type PayloadKind,
  payloadOfFile,
} from './payload/payload.ts'
export { SeededRandom } from './payload/seeded-random.ts'
export { htmlReport, reportPlots } from './report/html-report.ts'
export {
  consumerHeader,
  consumerTotalLine,
  endToEndLines,
  producerIntervalLine,
  producerTotalLine,
} from './report/kafka-lines.ts'
export type {
  Conditions,
  LatencyKind,
  Measurement,
  RunKind,
  RunReport,
  TaskFigure,
} from './report/run-report.ts'
export {
  consumerIntervalLine,
  machineLine,
  measurementLines,
  taskLine,
  unmetRateNote,
} from './report/summary-lines.ts'
export { type BackupRunOptions, runBackups } from './workload/backup-run.ts'
export {
  BenchDiskFullError,
  BenchFailedError,
  BenchTopicExistsError,
} from './workload/bench-errors.ts'
export { messageBytesFor } from './workload/bench-log.ts'
export { BenchPlace, isCluster, type PlaceOptions, scratchName } from './workload/bench-place.ts'
export { type CompactOptions, runCompaction } from './workload/compact-run.ts'
export {
  type ConsumingLoad,
  type ReadablePlace,
  readablePlace,
  runConsuming,
  withReader,
} from './workload/consume-run.ts'
export { asDiskFull, bytesToLeave, requireRoom } from './workload/disk-room.ts'
export { type EndToEndOptions, runEndToEnd } from './workload/end-to-end-run.ts'
export { runProducing } from './workload/produce-run.ts'
export type { ProducingLoad } from './workload/producing-load.ts'
export type { Pacing, SendingPlan } from './workload/record-sender.ts'
export { type RecoverOptions, runRecovery } from './workload/recover-run.ts'
export type { RunContext } from './workload/run-gauges.ts'
export type { TaskContext } from './workload/task-timing.ts'

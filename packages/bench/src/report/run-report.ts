import type { EngineFigures } from '../measuring/engine-watch.ts'
import type { Interval } from '../measuring/interval-series.ts'
import type { LatencyFigures } from '../measuring/latency-histogram.ts'
import type { Machine } from '../measuring/machine.ts'
import type { ProcessFigures } from '../measuring/process-watch.ts'
import type { Spread } from '../measuring/spread.ts'

/** What was run. */
export type RunKind = 'produce' | 'consume' | 'end-to-end' | 'recover' | 'compact' | 'backup'

/** What a run depends on besides the machine, by its option. */
export type Conditions = Readonly<Record<string, string | number | boolean | null>>

/**
 * What a latency is the time of. `intended`: from when the record was due to its acknowledgement.
 * `service`: from when it was sent, as soon as there was room, which says nothing of what a user
 * would have waited. `end-to-end`: from when it was due, or flat out sent, to its consumer.
 */
export type LatencyKind = 'intended' | 'service' | 'end-to-end'

/** Records that were produced or consumed, at one rate. */
export interface Measurement {
  /** Records a second that were asked for; null flat out. */
  readonly rate: number | null
  /** Without the warm-up, as everything here. */
  readonly records: number
  /** Of keys and values. */
  readonly payloadBytes: number
  /** From the start of counting to the last record. */
  readonly seconds: number
  readonly recordsPerSecond: number
  /** Of 2^20 bytes of keys and values, as Kafka's tools have it. */
  readonly mebibytesPerSecond: number
  /** Null where there are none: reading what is there. */
  readonly latencyKind: LatencyKind | null
  readonly latency: LatencyFigures | null
  /** How long after they were due records were sent; null flat out. */
  readonly sendDelay: LatencyFigures | null
  /** All latencies, in nanoseconds, as HdrHistogram's V2 encoding in base64. */
  readonly histogram: string | null
  /** Null where the engine is not in this process: on a cluster. */
  readonly engine: EngineFigures | null
  readonly process: ProcessFigures
  /** Of getting partitions, in ms; only of consumers. */
  readonly rebalanceMs: number | null
  /** Milliseconds since the epoch. */
  readonly startedMs: number
  readonly intervals: readonly Interval[]
}

/** Something that is done as a whole, repeated: recovery, compaction, a backup. */
export interface TaskFigure {
  readonly name: string
  /** What it was done to. */
  readonly bytes: number
  readonly records: number | null
  readonly seconds: Spread
  /** Of 10^6 bytes, by the median. */
  readonly megabytesPerSecond: number
  /** What is worth knowing of the result. */
  readonly details: Conditions
}

/**
 * A whole run: what `--json` prints, and what a page is made of. Whoever reads it checks `schema`;
 * fields may be added to it, and a change of their meaning gives it another number.
 */
export interface RunReport {
  readonly schema: 'varve-bench/1'
  readonly kind: RunKind
  /** ISO 8601. */
  readonly startedAt: string
  readonly machine: Machine
  readonly conditions: Conditions
  /** One for each rate; empty for tasks. */
  readonly measurements: readonly Measurement[]
  /** Empty for records. */
  readonly tasks: readonly TaskFigure[]
  /** What a reader of the figures has to know. */
  readonly notes: readonly string[]
}

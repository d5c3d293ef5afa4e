import type { KeyDistribution, Pacing, PayloadKind } from '@varve/bench'
import type { Acks } from '@varve/log'
import type { CompressionType } from '@varve/record'

/** What every run is told. */
export interface BenchOptions {
  /** A directory in which a scratch directory is made; of runs of records also `kafka://…`. */
  readonly data: string
  readonly seed: number
  readonly json: boolean
  /** Files to be written; null without. */
  readonly report: string | null
}

export interface PayloadOptions {
  readonly recordSize: string
  readonly payload: PayloadKind
  readonly payloadFile: string | null
  readonly payloadDelimiter: string
}

export interface KeyArguments {
  readonly keys: KeyDistribution
  readonly keyRange: number
}

/** Of producing, consuming and both. */
export interface RecordRunOptions extends BenchOptions, PayloadOptions, KeyArguments {
  readonly topic: string | null
  readonly existing: boolean
  readonly keep: boolean
  readonly partitions: number
  readonly records: number | null
  /** Seconds. */
  readonly warmup: number
  /** Seconds between two lines of progress. */
  readonly interval: number
  readonly compression: CompressionType
  readonly batchSize: string
}

export interface ProduceRunOptions extends RecordRunOptions {
  readonly acks: Acks
  readonly linger: number
  readonly inFlight: number
  readonly producers: number
  /** Seconds; null where records end it. */
  readonly duration: number | null
  /** Records a second, each of them a run; -1 flat out. */
  readonly rates: readonly number[]
  readonly pacing: Pacing
  readonly hlog: string | null
  readonly hgrm: string | null
}

export interface EndToEndRunOptions extends ProduceRunOptions {
  readonly otherProcess: boolean
  /** Milliseconds. */
  readonly poll: number
}

export interface ConsumeRunOptions extends RecordRunOptions {
  readonly consumers: number
  readonly group: string | null
  readonly fetchSize: string
}

/** Of runs that do one thing as a whole, repeatedly. */
export interface TaskRunOptions extends BenchOptions, PayloadOptions {
  readonly repeat: number
}

export interface RecoverRunOptions extends TaskRunOptions {
  readonly size: string
  /** Null: as large as they can be. */
  readonly segmentSize: string | null
  readonly batchSize: string
  readonly recoveryPoint: 'start' | 'end'
}

export interface CompactRunOptions extends TaskRunOptions, KeyArguments {
  /** How many records a key has, on average. */
  readonly versions: number
  readonly segmentSize: string
}

export interface BackupRunArguments extends TaskRunOptions {
  readonly size: string
  readonly segmentSize: string
  readonly repository: string | null
  readonly encrypt: boolean
}

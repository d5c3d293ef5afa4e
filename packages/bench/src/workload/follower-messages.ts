import type { IntervalFigures } from '../measuring/interval-series.ts'
import type { Measurement } from '../report/run-report.ts'

/** What the process that follows is told. */
export type ToFollower =
  | {
      readonly kind: 'follow'
      readonly address: string
      readonly topic: string
      readonly partitions: number
      /** How often it looks for records in a directory, in ms. */
      readonly pollMs: number
      readonly intervalMs: number
    }
  /** So many counted records were sent in all. */
  | { readonly kind: 'expect'; readonly records: number }

/** What it answers. */
export type FromFollower =
  | { readonly kind: 'ready' }
  | { readonly kind: 'interval'; readonly interval: IntervalFigures }
  | { readonly kind: 'done'; readonly measurement: Measurement }
  | { readonly kind: 'failed'; readonly message: string }

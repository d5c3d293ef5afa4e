import type { Clock } from '@varve/log'
import { EngineWatch } from '../measuring/engine-watch.ts'
import { encodeCounts, packCounts } from '../measuring/hdr-encoding.ts'
import {
  type IntervalFigures,
  IntervalSeries,
  rehearseIntervals,
} from '../measuring/interval-series.ts'
import { LatencyHistogram } from '../measuring/latency-histogram.ts'
import { ProcessWatch } from '../measuring/process-watch.ts'
import type { LatencyKind, Measurement } from '../report/run-report.ts'

/** What every run of records is given. */
export interface RunContext {
  readonly clock: Clock
  /** Length of the intervals that a measurement has. @defaultValue 1000 */
  readonly intervalMs?: number
  readonly onInterval?: (interval: IntervalFigures) => void
  /** Ends the run early; what was measured until then counts. */
  readonly signal?: AbortSignal
}

/** What was known of a measurement beforehand. */
export interface MeasurementFacts {
  readonly rate: number | null
  readonly latencyKind: LatencyKind | null
  /** Whether the event loop was kept turning to send at the right moment. */
  readonly isSpinning: boolean
  readonly rebalanceMs?: number
}

/** All that is watched while records are produced or consumed. */
export class RunGauges implements Disposable {
  readonly series: IntervalSeries
  readonly sendDelays: LatencyHistogram = new LatencyHistogram()
  readonly #clock: Clock
  readonly #engine: EngineWatch | null
  readonly #process = new ProcessWatch()
  #startedMs: number | null = null

  /** `hasEngine`: whether the logs are written by this process. */
  constructor({ clock, intervalMs = 1000, onInterval }: RunContext, hasEngine: boolean) {
    this.#clock = clock
    rehearseIntervals(clock)
    this.#engine = hasEngine ? new EngineWatch() : null
    this.series = new IntervalSeries({
      clock,
      intervalMs,
      onInterval: (interval) => {
        this.#process.sample()
        onInterval?.(interval)
      },
    })
  }

  /**
   * The warm-up is over: the first record that counts was due at `dueMs`. Only the first call
   * counts.
   */
  startCounting(dueMs: number = this.#clock.monotonic()): void {
    if (this.#startedMs !== null) return
    this.#startedMs = Math.round(this.#clock.now() - (this.#clock.monotonic() - dueMs))
    this.#engine?.restart()
    this.#process.restart()
    this.series.start(dueMs)
  }

  measurement(facts: MeasurementFacts): Measurement {
    const latencies = this.series.end()
    const { records, bytes, seconds, intervals } = this.series
    const perSecond = (amount: number): number => (seconds > 0 ? amount / seconds : 0)
    const { rate, latencyKind, isSpinning, rebalanceMs = null } = facts
    const hasLatency = latencyKind !== null
    return {
      rate,
      records,
      payloadBytes: bytes,
      seconds,
      recordsPerSecond: perSecond(records),
      mebibytesPerSecond: perSecond(bytes / 2 ** 20),
      latencyKind,
      latency: hasLatency ? latencies.figures() : null,
      sendDelay: hasLatency && rate !== null ? this.sendDelays.figures() : null,
      histogram: hasLatency ? encodeCounts(packCounts(latencies.counts)) : null,
      engine: this.#engine?.figures(seconds, bytes) ?? null,
      process: this.#process.figures(records, { isSpinning }),
      rebalanceMs,
      startedMs: this.#startedMs ?? this.#clock.now(),
      intervals,
    }
  }

  [Symbol.dispose](): void {
    this.series.end()
    this.#engine?.[Symbol.dispose]()
    this.#process[Symbol.dispose]()
  }
}

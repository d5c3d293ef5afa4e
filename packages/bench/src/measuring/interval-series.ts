import type { Clock, Timer } from '@varve/log'
import { encodeCounts, packCounts } from './hdr-encoding.ts'
import { LatencyHistogram } from './latency-histogram.ts'

/** A stretch of a run, as soon as it is over. */
export interface IntervalFigures {
  /** From the start of what is counted. */
  readonly startSeconds: number
  readonly seconds: number
  readonly records: number
  /** Of keys and values. */
  readonly bytes: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** A stretch of a run that is over. */
export interface Interval extends IntervalFigures {
  /** Its latencies in HdrHistogram's encoding; null without any. */
  readonly histogram: string | null
}

export interface IntervalSeriesOptions {
  readonly clock: Clock
  /** Length of an interval; one in which the event loop stood still is longer. */
  readonly intervalMs: number
  readonly onInterval?: (interval: IntervalFigures) => void
}

/**
 * Counts records, bytes and latencies by stretches of time, from `start` to `end`. Stretches in
 * which nothing arrived are there too: a standstill shows.
 */
export class IntervalSeries {
  readonly #options: IntervalSeriesOptions
  readonly #total = new LatencyHistogram()
  readonly #current = new LatencyHistogram()
  readonly #intervals: Array<{ readonly figures: IntervalFigures; readonly packed: Buffer }> = []
  #startMs = 0
  #sinceMs = 0
  #lastMs = 0
  #records = 0
  #bytes = 0
  #totalRecords = 0
  #totalBytes = 0
  #timer: Timer | null = null

  constructor(options: IntervalSeriesOptions) {
    this.#options = options
  }

  /**
   * Those that are over, with their histograms: which takes a while, so that it is for the end of a
   * run.
   */
  get intervals(): readonly Interval[] {
    return this.#intervals.map(({ figures, packed }) => {
      return { ...figures, histogram: packed.length === 0 ? null : encodeCounts(packed) }
    })
  }

  get records(): number {
    return this.#totalRecords + this.#records
  }

  /** Of keys and values. */
  get bytes(): number {
    return this.#totalBytes + this.#bytes
  }

  /** From the start to the last record. */
  get seconds(): number {
    return Math.max(0, this.#lastMs - this.#startMs) / 1000
  }

  /** `startMs` may have passed: what was due then is late. */
  start(startMs: number = this.#options.clock.monotonic()): void {
    this.#startMs = startMs
    this.#sinceMs = this.#startMs
    this.#lastMs = this.#startMs
    this.#setTimer()
  }

  /** A record that arrived at `nowMs`. */
  add(nowMs: number, bytes: number, latencyMs: number): void {
    this.count(nowMs, bytes)
    this.#current.record(latencyMs)
  }

  /** Records without latencies. */
  count(nowMs: number, bytes: number, records = 1): void {
    this.#records += records
    this.#bytes += bytes
    this.#lastMs = nowMs
  }

  /** Ends the last interval. Resolves with the latencies of all of them. */
  end(): LatencyHistogram {
    this.#timer?.cancel()
    this.#timer = null
    if (this.#records > 0) this.#close(this.#options.clock.monotonic())
    return this.#total
  }

  #setTimer(): void {
    const { clock, intervalMs } = this.#options
    this.#timer = clock.setTimer(intervalMs, () => {
      this.#close(clock.monotonic())
      this.#setTimer()
    })
  }

  #close(nowMs: number): void {
    const current = this.#current
    const figures: IntervalFigures = {
      startSeconds: (this.#sinceMs - this.#startMs) / 1000,
      seconds: (nowMs - this.#sinceMs) / 1000,
      records: this.#records,
      bytes: this.#bytes,
      meanMs: current.count === 0 ? 0 : current.sumMs / current.count,
      p50Ms: current.percentileMs(50),
      p99Ms: current.percentileMs(99),
      maxMs: current.maxMs,
    }
    // Copied, and encoded at the end: what is measured is not to wait for what measures it.
    this.#intervals.push({ figures, packed: packCounts(current.counts) })
    this.#total.add(current)
    current.clear()
    this.#totalRecords += this.#records
    this.#totalBytes += this.#bytes
    this.#records = 0
    this.#bytes = 0
    this.#sinceMs = nowMs
    this.#options.onInterval?.(figures)
  }
}

const rehearsals = 4

/**
 * Ends intervals that nobody asked for. The first ones take ten milliseconds, since their code is
 * yet to be compiled, and nothing else runs meanwhile: this is for before a measurement.
 */
export function rehearseIntervals(clock: Clock): void {
  for (let round = 0; round < rehearsals; round++) {
    const series = new IntervalSeries({ clock, intervalMs: 1000 })
    series.start()
    // From a microsecond to an hour: all buckets are looked at.
    for (let latencyMs = 0.001; latencyMs < 3_600_000; latencyMs *= 1.01) {
      series.add(clock.monotonic(), 1, latencyMs)
    }
    series.end()
  }
}

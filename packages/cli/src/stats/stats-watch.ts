import { ratePerSecond } from '../human.ts'
import type { GroupStats, LookedTopic, StatsSource } from './stats-source.ts'

/** A topic as it stood when it was looked at. */
export interface TopicStats extends Omit<LookedTopic, 'end'> {
  /** Appended since the look before; null the first time. */
  readonly recordsPerSecond: number | null
}

export interface DataStats {
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly topics: readonly TopicStats[]
  readonly groups: readonly GroupStats[]
}

/** The moment of a look, by the clock and by what measures durations. */
export interface Moment {
  readonly now: number
  readonly monotonic: number
}

/** Looks again and again, and says what came between two looks. */
export class StatsWatch {
  readonly #source: StatsSource
  /** Of each topic, where its logs ended together. */
  #ends: ReadonlyMap<string, number> = new Map()
  #lookedMs: number | null = null

  constructor(source: StatsSource) {
    this.#source = source
  }

  /** What there is by then. Rejects as the source does. */
  async look({ now, monotonic }: Moment): Promise<DataStats> {
    const elapsedMs = this.#lookedMs === null ? null : monotonic - this.#lookedMs
    const { topics, groups } = await this.#source.look()
    const stats = topics.map(({ end, ...seen }) => {
      // What was made since the look before was empty then; what was made anew begins again.
      const appended = Math.max(0, end - (this.#ends.get(seen.topic) ?? 0))
      const recordsPerSecond = elapsedMs === null ? null : ratePerSecond(appended, elapsedMs)
      return { ...seen, recordsPerSecond }
    })
    this.#ends = new Map(topics.map(({ topic, end }) => [topic, end]))
    this.#lookedMs = monotonic
    return { timestamp: now, topics: stats, groups }
  }
}

import type { Timestamp } from '@varve/record'
import { pollTurn } from '../base/turns.ts'

/** So many segments are looked at before timers and sockets have their turn. */
const looksPerTurn = 128

/** Segments in the order of their log, as they are at the moment. */
export interface TimedSegments {
  count(): number
  maxTimestampOf(index: number): Timestamp
}

/**
 * The largest timestamp up to and including each segment of a log. Timestamps rise and fall as
 * producers please, but these only rise: the first segment that reaches a timestamp is the first
 * whose peak does, and found by halving.
 *
 * They are gathered as far as they are asked for. The first time that takes a look at a small file
 * for each segment, and there is no way round: any one of them may hold what is looked for.
 */
export class TimestampPeaks {
  readonly #peaks: Timestamp[] = []

  /**
   * The index of the first segment that reaches a timestamp; their number where none does. The
   * segments may change while this waits, if `keep` is told of it. Rejects with what reading a
   * timestamp throws.
   */
  async find(segments: TimedSegments, timestamp: Timestamp): Promise<number> {
    const peaks = this.#peaks
    for (let looks = 1; peaks.length < segments.count(); looks++) {
      const last = peaks.at(-1) ?? Number.NEGATIVE_INFINITY
      if (last >= timestamp) break
      peaks.push(Math.max(last, segments.maxTimestampOf(peaks.length)))
      if (looks % looksPerTurn === 0) await pollTurn()
    }
    let low = 0
    let high = peaks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((peaks[middle] ?? 0) < timestamp) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Only the first `count` segments are still the same. */
  keep(count: number): void {
    if (count < this.#peaks.length) this.#peaks.length = count
  }
}

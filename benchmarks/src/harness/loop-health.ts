import { createHistogram, performance } from 'node:perf_hooks'

/** Watches what something does to everybody else on the event loop. */
export class LoopHealth {
  readonly #lateness = createHistogram({ lowest: 1, highest: 60_000_000, figures: 3 })
  readonly #startedUtilization = performance.eventLoopUtilization()
  #timer: NodeJS.Timeout | null = null
  #dueMs = 0

  constructor() {
    this.#wait()
  }

  /** The part of the time in which the loop was busy, and how late timers of 1 ms came. */
  stop(): Readonly<Record<string, number>> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    // One that should have come, and was never let.
    this.#note(performance.now())
    const { utilization } = performance.eventLoopUtilization(this.#startedUtilization)
    return {
      'loop busy': utilization,
      'timer late, median ms': this.#lateness.percentile(50) / 1000,
      'timer late, p99 ms': this.#lateness.percentile(99) / 1000,
    }
  }

  #wait(): void {
    this.#dueMs = performance.now() + 1
    this.#timer = setTimeout(() => {
      this.#note(performance.now())
      this.#wait()
    }, 1)
  }

  #note(nowMs: number): void {
    const lateUs = Math.round((nowMs - this.#dueMs) * 1000)
    this.#lateness.record(Math.max(1, lateUs))
  }
}

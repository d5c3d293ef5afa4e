import type { Clock } from '@varve/log'

/** So long the thread may compute. */
const workMs = 0.5

/** As short as a sleep can be asked for; the system makes 0.1 to 0.3 ms of it. */
const restMs = 0.05

/**
 * Short rests of a thread that computes all the time. Without them it gives its processor up only
 * when the system takes it away, at a tick of the scheduler: on two cores, appends that were due
 * then waited for up to 4 ms, priorities or not. A thread that is asleep is in nobody's way.
 */
export class ProcessorBreaks {
  readonly #clock: Clock
  readonly #traffic: Int32Array
  readonly #never = new Int32Array(new SharedArrayBuffer(4))
  #startedMs: number

  /** @param traffic 0 while nobody else needs a processor: see ThreadTraffic */
  constructor(clock: Clock, traffic: Int32Array) {
    this.#clock = clock
    this.#traffic = traffic
    this.#startedMs = clock.monotonic()
  }

  /** Blocks the thread for a moment, when it has worked for a while beside others. */
  take(): void {
    if (Atomics.load(this.#traffic, 0) === 0) return
    if (this.#clock.monotonic() - this.#startedMs < workMs) return
    Atomics.wait(this.#never, 0, 0, restMs)
    this.#startedMs = this.#clock.monotonic()
  }
}

import type { Clock } from '@varve/log'

/** So long the thread may compute. */
const workMs = 0.5

/**
 * Rests of a thread that computes all the time. Without them it gives its processor up only
 * when the system takes it away, at a tick of the scheduler: on two cores, appends that were due
 * then waited for up to 4 ms, priorities or not. A thread that is asleep is in nobody's way.
 */
export class ProcessorBreaks {
  readonly #clock: Clock
  readonly #traffic: Int32Array
  readonly #restMs: number
  readonly #never = new Int32Array(new SharedArrayBuffer(4))
  #startedMs: number

  /**
   * @param traffic 0 while nobody else needs a processor: see ThreadTraffic
   * @param restMs how long a rest is; 0 never rests
   */
  constructor(clock: Clock, traffic: Int32Array, restMs: number) {
    this.#clock = clock
    this.#traffic = traffic
    this.#restMs = restMs
    this.#startedMs = clock.monotonic()
  }

  /** Whether somebody needs the processor or the disk, and is made way for. */
  get isBusy(): boolean {
    return this.#restMs > 0 && Atomics.load(this.#traffic, 0) !== 0
  }

  /** Blocks the thread for a moment, when it has worked for a while beside others. */
  take(): void {
    if (!this.isBusy) return
    if (this.#clock.monotonic() - this.#startedMs < workMs) return
    Atomics.wait(this.#never, 0, 0, this.#restMs)
    this.#startedMs = this.#clock.monotonic()
  }
}

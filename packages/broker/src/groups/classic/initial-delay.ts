import type { Clock, Timer } from '@varve/log'
import type { JoinRequest } from '../group-protocol.ts'

/**
 * How long a group that was empty waits for more members than the first, so that a program that
 * starts with many does not divide its partitions many times: Kafka's
 * group.initial.rebalance.delay.ms. Members that come meanwhile prolong it, within limits.
 */
export class InitialDelay {
  readonly #clock: Clock
  /** After each member that has come anew. */
  readonly #delayMs: number
  readonly #isOver: () => void
  #timer: Timer
  #hasMore = false

  private constructor(clock: Clock, first: JoinRequest, delayMs: number, isOver: () => void) {
    this.#clock = clock
    this.#delayMs = delayMs
    this.#isOver = isOver
    this.#timer = this.#wait(delayMs, Math.max(0, first.rebalanceTimeoutMs - delayMs))
  }

  /** Null where the first member asks for none. It takes its rebalance time-out at most. */
  static begin(clock: Clock, first: JoinRequest, isOver: () => void): InitialDelay | null {
    const { initialRebalanceDelayMs = 0, local } = first
    if (initialRebalanceDelayMs <= 0 || local !== null) return null
    return new InitialDelay(clock, first, initialRebalanceDelayMs, isOver)
  }

  /** Another member has come. */
  prolong(): void {
    this.#hasMore = true
  }

  /** Nobody else is waited for. */
  finish(): void {
    this.#timer.cancel()
    this.#isOver()
  }

  cancel(): void {
    this.#timer.cancel()
  }

  #wait(forMs: number, leftMs: number): Timer {
    return this.#clock.setTimer(forMs, () => {
      if (!this.#hasMore || leftMs === 0) {
        this.#isOver()
        return
      }
      this.#hasMore = false
      const nextMs = Math.min(this.#delayMs, leftMs)
      this.#timer = this.#wait(nextMs, Math.max(0, leftMs - forMs))
    })
  }
}

/**
 * Fills at a rate, up to what comes in so many seconds, and may be overdrawn. Unlike a rate over a
 * window of samples, the pause that it asks for is the one after which all is well.
 */
export class TokenBucket {
  readonly #burstSeconds: number
  readonly #debtSecondsMax: number
  #tokens = Number.POSITIVE_INFINITY
  #filledMs = 0

  /** @param debtSecondsMax what is overdrawn by more than comes in that time is let be */
  constructor(burstSeconds: number, debtSecondsMax: number = Number.POSITIVE_INFINITY) {
    this.#burstSeconds = burstSeconds
    this.#debtSecondsMax = debtSecondsMax
  }

  /** What may still be taken; below 0 where too much was. */
  tokens(limit: number, nowMs: number): number {
    const filled = this.#tokens + (limit * Math.max(0, nowMs - this.#filledMs)) / 1000
    this.#tokens = Math.min(limit * this.#burstSeconds, filled)
    this.#filledMs = nowMs
    return this.#tokens
  }

  take(count: number, limit: number, nowMs: number): void {
    const left = this.tokens(limit, nowMs) - count
    this.#tokens = Math.max(left, -limit * this.#debtSecondsMax)
  }

  /** How long nothing may be taken, in ms. */
  excessMs(limit: number, nowMs: number): number {
    return Math.max(0, Math.ceil((-this.tokens(limit, nowMs) / limit) * 1000))
  }

  /**
   * How long it takes until so much is there, in ms; where it never can be, until all is there
   * that can.
   */
  waitMs(count: number, limit: number, nowMs: number): number {
    const least = Math.min(count, limit * this.#burstSeconds)
    return Math.max(0, Math.ceil(((least - this.tokens(limit, nowMs)) / limit) * 1000))
  }
}

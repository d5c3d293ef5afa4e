import assert from 'node:assert/strict'
import type { Clock, Timer } from '../base/clock.ts'

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #nowMs: number
  #monotonicMs = 0
  #timers: ManualTimer[] = []

  /** Starts at 2026-01-01T00:00:00Z unless told otherwise. */
  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  monotonic(): number {
    return this.#monotonicMs
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = new ManualTimer(this.#monotonicMs + Math.max(0, delayMs), callback)
    this.#timers.push(timer)
    return timer
  }

  /** Timers that have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.filter((timer) => timer.isPending).length
  }

  /**
   * Lets time pass, and calls each timer back at its own moment, in order of time and then of
   * setting. Timers that callbacks set within the span fire too; what callbacks start and do not
   * finish synchronously runs afterwards.
   */
  advance(durationMs: number): void {
    assert(durationMs >= 0, 'a monotonic clock does not go back')
    const endMs = this.#monotonicMs + durationMs
    for (;;) {
      const timer = this.#earliest()
      if (timer === null || timer.dueMs > endMs) break
      this.#goTo(Math.max(timer.dueMs, this.#monotonicMs))
      timer.fire()
    }
    this.#goTo(endMs)
  }

  /** Sets the wall clock, as an operator or a time server does; the monotonic clock goes on. */
  setNow(nowMs: number): void {
    this.#nowMs = nowMs
  }

  #goTo(monotonicMs: number): void {
    this.#nowMs += monotonicMs - this.#monotonicMs
    this.#monotonicMs = monotonicMs
  }

  #earliest(): ManualTimer | null {
    this.#timers = this.#timers.filter((timer) => timer.isPending)
    let earliest: ManualTimer | null = null
    for (const timer of this.#timers) {
      if (earliest === null || timer.dueMs < earliest.dueMs) earliest = timer
    }
    return earliest
  }
}

class ManualTimer implements Timer {
  readonly dueMs: number
  #callback: (() => void) | null

  constructor(dueMs: number, callback: () => void) {
    this.dueMs = dueMs
    this.#callback = callback
  }

  get isPending(): boolean {
    return this.#callback !== null
  }

  fire(): void {
    const callback = this.#callback
    this.#callback = null
    callback?.()
  }

  cancel(): void {
    this.#callback = null
  }
}

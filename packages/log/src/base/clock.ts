/** The engine's only source of time, so that tests can hold it still. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Monotonic milliseconds, fractional: for durations. */
  monotonic(): number
  /**
   * Calls back once after at least `delayMs`. A waiting timer does not keep the process alive,
   * unless somebody waits for it: then `keepsAlive` is said.
   */
  setTimer(delayMs: number, callback: () => void, options?: TimerOptions): Timer
}

/** How a timer is set. */
export interface TimerOptions {
  /** @defaultValue false */
  readonly keepsAlive?: boolean
}

/** A timer that was set. */
export interface Timer {
  cancel(): void
}

/** setTimeout's longest delay; a longer one would fire at once. */
const longestDelayMs = 2 ** 31 - 1

/** The clock of the machine, and Node's timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delayMs, callback, options) {
    const timeout = setTimeout(callback, Math.min(delayMs, longestDelayMs))
    if (options?.keepsAlive !== true) timeout.unref()
    return { cancel: () => clearTimeout(timeout) }
  },
}

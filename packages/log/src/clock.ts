/** The engine's only source of time, so that tests can hold it still. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Monotonic milliseconds, fractional: for durations. */
  monotonic(): number
  /** Calls back once after at least `delayMs`. A waiting timer does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): Timer
}

export interface Timer {
  cancel(): void
}

/** setTimeout's longest delay; a longer one would fire at once. */
const longestDelayMs = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delayMs, callback) {
    const timeout = setTimeout(callback, Math.min(delayMs, longestDelayMs))
    timeout.unref()
    return { cancel: () => clearTimeout(timeout) }
  },
}

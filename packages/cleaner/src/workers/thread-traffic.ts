import { performance } from 'node:perf_hooks'
import { systemClock, type Timer } from '@varve/log'

/** How often it is looked. */
const lookMs = 50

/**
 * What it takes to wake the thread and to hand it a message, beside what is done with it, on a
 * processor that the worker itself keeps busy: half a millisecond is a hundredth of a look already.
 */
const wakeMs = 0.25

/** An event loop that is busy for less than this part of the time has nobody waiting for it. */
const idleShare = 0.01

/**
 * Whether this thread's event loop has work: appends, reads, whatever a program does. Kept in
 * memory that worker threads see, so that they make way when somebody needs a processor, and only
 * then.
 */
export class ThreadTraffic {
  /** 1 while there is work, 0 while there is none. */
  readonly flag: Int32Array = new Int32Array(new SharedArrayBuffer(4))
  #timer: Timer | null = null
  #before: ReturnType<typeof performance.eventLoopUtilization> | null = null
  #watchers = 0
  /** Of the time since the last look, what this thread had to do for the worker. */
  #ownMs = 0

  /** Counts as busy until the first look. Ends when as many have called what they were given. */
  watch(): () => void {
    if (this.#watchers++ === 0) {
      Atomics.store(this.flag, 0, 1)
      this.#before = performance.eventLoopUtilization()
      this.#ownMs = 0
      this.#lookLater()
    }
    let isWatching = true
    return () => {
      if (!isWatching) return
      isWatching = false
      if (--this.#watchers === 0) this.#timer?.cancel()
    }
  }

  /** Does what a message of the worker asks for: that is nobody else's work. */
  answer(message: () => void): void {
    const startedMs = systemClock.monotonic()
    message()
    this.#ownMs += systemClock.monotonic() - startedMs + wakeMs
  }

  #lookLater(): void {
    this.#timer = systemClock.setTimer(lookMs, () => {
      const now = performance.eventLoopUtilization()
      const { active, idle } = performance.eventLoopUtilization(now, this.#before ?? now)
      // Looking wakes the thread, too.
      const othersMs = active - this.#ownMs - wakeMs
      this.#before = now
      this.#ownMs = 0
      Atomics.store(this.flag, 0, othersMs < idleShare * (active + idle) ? 0 : 1)
      this.#lookLater()
    })
  }
}

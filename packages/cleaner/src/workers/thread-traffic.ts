import { performance } from 'node:perf_hooks'
import { systemClock, type Timer } from '@varve/log'

/** How often it is looked. */
const lookMs = 50

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

  /** Counts as busy until the first look. Ends when as many have called what they were given. */
  watch(): () => void {
    if (this.#watchers++ === 0) {
      Atomics.store(this.flag, 0, 1)
      this.#before = performance.eventLoopUtilization()
      this.#lookLater()
    }
    let isWatching = true
    return () => {
      if (!isWatching) return
      isWatching = false
      if (--this.#watchers === 0) this.#timer?.cancel()
    }
  }

  #lookLater(): void {
    this.#timer = systemClock.setTimer(lookMs, () => {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, this.#before ?? now)
      this.#before = now
      Atomics.store(this.flag, 0, utilization < idleShare ? 0 : 1)
      this.#lookLater()
    })
  }
}

import type { Clock, Log, Timer } from '@varve/log'

/** Somebody who waits for logs to grow. */
export interface LogWaiter {
  /** Takes note, within the step: there are so many more bytes; 0 where nothing more will come. */
  grown(moreBytes: number): void
}

/** Those who wait for one log. */
interface Watch {
  readonly waiters: Set<LogWaiter>
  readonly end: () => void
  /** When the last one left. */
  idleMs: number
}

/** A log that nobody has waited for so long is let go of. */
const idleMsMax = 10_000

/**
 * Who waits for which log. A log is watched while somebody waits for it and a little longer, with
 * its newest bytes kept in memory for those who do.
 */
export class LogWatches {
  readonly #clock: Clock
  readonly #watches = new Map<Log, Watch>()
  #sweep: Timer | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get watchedLogs(): number {
    return this.#watches.size
  }

  add(log: Log, waiter: LogWaiter): void {
    const watch = this.#watches.get(log) ?? this.#begin(log)
    watch.waiters.add(waiter)
  }

  remove(log: Log, waiter: LogWaiter): void {
    const watch = this.#watches.get(log)
    if (watch === undefined || !watch.waiters.delete(waiter)) return
    if (watch.waiters.size > 0) return
    watch.idleMs = this.#clock.monotonic()
    this.#sweepLater()
  }

  #begin(log: Log): Watch {
    const waiters = new Set<LogWaiter>()
    const unwatch = log.watch((moreBytes) => {
      for (const waiter of waiters) waiter.grown(moreBytes)
      if (moreBytes === 0) this.#end(log)
    })
    const dropTail = log.keepTail()
    const end = (): void => {
      unwatch()
      dropTail()
    }
    const watch = { waiters, end, idleMs: this.#clock.monotonic() }
    this.#watches.set(log, watch)
    return watch
  }

  #end(log: Log): void {
    this.#watches.get(log)?.end()
    this.#watches.delete(log)
  }

  #sweepLater(): void {
    this.#sweep ??= this.#clock.setTimer(idleMsMax, () => {
      this.#sweep = null
      const nowMs = this.#clock.monotonic()
      let isAnyIdle = false
      for (const [log, { waiters, idleMs }] of this.#watches) {
        if (waiters.size > 0) continue
        if (nowMs - idleMs >= idleMsMax) this.#end(log)
        else isAnyIdle = true
      }
      if (isAnyIdle) this.#sweepLater()
    })
  }
}

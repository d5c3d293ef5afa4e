import type { Clock, Timer } from '@varve/log'
import type { ResolvedConnectionLimits } from '../base/connection-limits.ts'

/** A connection that its client keeps waiting, as `SlowClients` sees it. */
export interface Awaited {
  /** What its client is too slow with by now; null where nothing is wrong. */
  tooSlowWith(now: number): string | null
  /** When the request that has come in part began to come; null where there is none. */
  readonly partialSince: number | null
  /** Since when answers wait to be read; null where none do. */
  readonly unreadSince: number | null
  /** Closes it. */
  giveUp(reason: string): void
}

/** How often clients are looked at, in ms. */
const lookMs = 1000

/**
 * Closes connections whose clients begin requests and do not end them, do not read their answers,
 * or do not log in; and, where what they all together leave lying takes too much memory, those of
 * them that have done so longest. Only connections of which something is awaited are looked at.
 */
export class SlowClients {
  readonly #limits: ResolvedConnectionLimits
  readonly #clock: Clock
  readonly #awaited = new Set<Awaited>()
  #partialBytes = 0
  #unreadBytes = 0
  #timer: Timer | null = null
  #isStopped = false

  constructor(limits: ResolvedConnectionLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Memory that requests take of which a part has come, in bytes. */
  get partialBytes(): number {
    return this.#partialBytes
  }

  /** Memory that answers take which nobody has read, in bytes. */
  get unreadBytes(): number {
    return this.#unreadBytes
  }

  /** From now on it is looked at. */
  watch(connection: Awaited): void {
    this.#awaited.add(connection)
    this.#timer ??= this.#isStopped ? null : this.#setTimer()
  }

  /** Nothing is awaited of it any more. */
  release(connection: Awaited): void {
    this.#awaited.delete(connection)
  }

  /** Takes note of a change, and closes connections when there is too much. */
  countPartial(changeBytes: number): void {
    this.#partialBytes += changeBytes
    if (changeBytes <= 0) return
    this.#shed('partialSince', 'requests that have come in part take too much memory', () => {
      return this.#partialBytes > this.#limits.partialRequestBytesMax
    })
  }

  countUnread(changeBytes: number): void {
    this.#unreadBytes += changeBytes
    if (changeBytes <= 0) return
    this.#shed('unreadSince', 'answers that are not read take too much memory', () => {
      return this.#unreadBytes > this.#limits.unreadAnswerBytesMax
    })
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
    this.#timer = null
  }

  #setTimer(): Timer {
    return this.#clock.setTimer(lookMs, () => {
      this.#look()
      this.#timer = this.#awaited.size > 0 && !this.#isStopped ? this.#setTimer() : null
    })
  }

  #look(): void {
    const now = this.#clock.monotonic()
    for (const connection of [...this.#awaited]) {
      const reason = connection.tooSlowWith(now)
      if (reason !== null) connection.giveUp(reason)
    }
  }

  #shed(since: 'partialSince' | 'unreadSince', reason: string, isTooMuch: () => boolean): void {
    while (isTooMuch()) {
      let oldest: Awaited | null = null
      for (const connection of this.#awaited) {
        if (connection[since] === null) continue
        if (oldest === null || (connection[since] ?? 0) < (oldest[since] ?? 0)) oldest = connection
      }
      if (oldest === null) return
      // Closing one counts down what it took, at once.
      oldest.giveUp(reason)
      this.#awaited.delete(oldest)
    }
  }
}

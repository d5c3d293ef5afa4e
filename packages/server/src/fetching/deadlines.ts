import type { Clock, Timer } from '@varve/log'

/** What ends soon after each other ends together. */
const tickMs = 4

/** Whatever has to end at some time. */
export interface Expiring {
  expire(): void
}

/** Those that end in one tick. */
class Tick {
  readonly expiring = new Set<Expiring>()
  timer: Timer | null = null
}

/** Ends many things at their time with few timers: one for each tick in which anything ends. */
export class Deadlines {
  readonly #clock: Clock
  readonly #ticks = new Map<number, Tick>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many timers there are. */
  get timers(): number {
    return this.#ticks.size
  }

  /** Has it expire after so long, or a little later; returns what takes that back. */
  add(expiring: Expiring, delayMs: number): () => void {
    const nowMs = this.#clock.monotonic()
    const at = Math.ceil((nowMs + delayMs) / tickMs)
    const tick = this.#ticks.get(at) ?? this.#begin(at, nowMs)
    tick.expiring.add(expiring)
    return () => {
      if (!tick.expiring.delete(expiring) || tick.expiring.size > 0) return
      tick.timer?.cancel()
      if (this.#ticks.get(at) === tick) this.#ticks.delete(at)
    }
  }

  #begin(at: number, nowMs: number): Tick {
    const tick = new Tick()
    this.#ticks.set(at, tick)
    tick.timer = this.#clock.setTimer(Math.max(0, at * tickMs - nowMs), () => {
      this.#ticks.delete(at)
      const expired = [...tick.expiring]
      tick.expiring.clear()
      for (const one of expired) one.expire()
    })
    return tick
  }
}

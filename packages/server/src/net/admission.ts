import type { Clock } from '@varve/log'
import type { ResolvedConnectionLimits } from '../base/connection-limits.ts'
import type { Throttling } from '../base/throttle.ts'

/** A connection as those count it who decide whether one more may come. */
export interface Visitor {
  readonly host: string
  destroy(): void
}

/** Why a connection is not let in. */
export type Refusal =
  | 'too many connections'
  | 'too many from its address'
  | 'too many a second'
  | 'too many a second from its address'

/** A connection that has been let in. */
export interface Admitted {
  /** It has logged in, or asked for something: it is not closed for newer ones any more. */
  settle(): void
  /** It has ended. */
  leave(): void
}

/**
 * Decides which connections may come, over all listeners of a server. Those that have shown nothing
 * yet make room for newer ones, so that whoever opens connections and leaves them cannot shut out
 * clients that have something to say.
 */
export class Admission {
  readonly #limits: ResolvedConnectionLimits
  readonly #clock: Clock
  readonly #throttling: Pick<Throttling, 'admitsConnection'>
  readonly #perAddress = new Map<string, number>()
  /** In the order in which they came. */
  readonly #newcomers = new Set<Visitor>()
  readonly #rates = new Map<string, { second: number; count: number }>()
  #count = 0

  constructor(
    limits: ResolvedConnectionLimits,
    clock: Clock,
    throttling: Pick<Throttling, 'admitsConnection'>,
  ) {
    this.#throttling = throttling
    this.#limits = limits
    this.#clock = clock
  }

  /** Connections that are there. */
  get count(): number {
    return this.#count
  }

  /** Those of them that have shown nothing yet. */
  get newcomers(): number {
    return this.#newcomers.size
  }

  enter(visitor: Visitor, listenerName: string): Admitted | Refusal {
    const { connectionsMax, connectionsPerAddressMax, newcomersMax } = this.#limits
    if (!this.#isInPace(listenerName)) return 'too many a second'
    if (!this.#throttling.admitsConnection(visitor.host)) {
      return 'too many a second from its address'
    }
    const fromThere = this.#perAddress.get(visitor.host) ?? 0
    const isLimited = connectionsPerAddressMax < connectionsMax
    if (isLimited && fromThere >= connectionsPerAddressMax) return 'too many from its address'
    const isFull = this.#count >= connectionsMax
    if (isFull || this.#newcomers.size >= newcomersMax) {
      const oldest = this.#newcomers.values().next().value
      if (oldest === undefined) return 'too many connections'
      this.#newcomers.delete(oldest)
      // Its place is free when the system has closed it, very soon.
      oldest.destroy()
    }
    this.#count++
    this.#perAddress.set(visitor.host, (this.#perAddress.get(visitor.host) ?? 0) + 1)
    this.#newcomers.add(visitor)
    return this.#admitted(visitor)
  }

  #admitted(visitor: Visitor): Admitted {
    let isThere = true
    return {
      settle: () => {
        this.#newcomers.delete(visitor)
      },
      leave: () => {
        if (!isThere) return
        isThere = false
        this.#newcomers.delete(visitor)
        this.#count--
        const left = (this.#perAddress.get(visitor.host) ?? 1) - 1
        if (left > 0) this.#perAddress.set(visitor.host, left)
        else this.#perAddress.delete(visitor.host)
      },
    }
  }

  #isInPace(listenerName: string): boolean {
    const second = Math.floor(this.#clock.monotonic() / 1000)
    const rate = this.#rates.get(listenerName)
    if (rate?.second !== second) {
      this.#rates.set(listenerName, { second, count: 1 })
      return true
    }
    rate.count++
    return rate.count <= this.#limits.connectionsPerSecondMax
  }
}

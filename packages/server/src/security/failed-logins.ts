import type { Clock } from '@varve/log'
import { shortName } from '../base/short-name.ts'

/** How many are remembered: the oldest is forgotten first. */
const rememberedMax = 10_000
/** After this much peace half of the failures are forgotten, in ms. */
const halfLifeMs = 30_000
/** So many have no consequence for those that come after them. */
const freeOfUser = 3
const freeOfAddress = 100
const longestHoldMs = 5_000

interface Failures {
  count: number
  at: number
}

/**
 * Holds back logins after failed ones, longer with each: by the user that is tried and the address
 * from where, so that a client with a wrong password does not hold up others of its machine; and by
 * the address alone, when many users are tried from there.
 */
export class FailedLogins {
  readonly #clock: Clock
  readonly #firstHoldMs: number
  readonly #remembered = new Map<string, Failures>()

  /** @param firstHoldMs how long the first that is held back is, in ms */
  constructor(clock: Clock, firstHoldMs: number) {
    this.#clock = clock
    this.#firstHoldMs = firstHoldMs
  }

  /** How many addresses, and users at addresses, are remembered. */
  get size(): number {
    return this.#remembered.size
  }

  failed(host: string, user: string | null): void {
    this.#add(host)
    if (user !== null) this.#add(keyOf(host, user))
  }

  /** How long the next login has to wait, in ms. */
  holdMs(host: string, user: string | null): number {
    const byAddress = this.#countOf(host) - freeOfAddress
    const byUser = user === null ? 0 : this.#countOf(keyOf(host, user)) - freeOfUser
    const beyond = Math.max(byAddress, byUser)
    if (beyond < 1) return 0
    return Math.min(longestHoldMs, this.#firstHoldMs * 2 ** Math.min(beyond - 1, 20))
  }

  #add(key: string): void {
    const count = this.#countOf(key) + 1
    // Set again, it is the youngest.
    this.#remembered.delete(key)
    this.#remembered.set(key, { count, at: this.#clock.monotonic() })
    if (this.#remembered.size <= rememberedMax) return
    const oldest = this.#remembered.keys().next().value
    if (oldest !== undefined) this.#remembered.delete(oldest)
  }

  #countOf(key: string): number {
    const failures = this.#remembered.get(key)
    if (failures === undefined) return 0
    const halvings = Math.floor((this.#clock.monotonic() - failures.at) / halfLifeMs)
    return Math.floor(failures.count / 2 ** halvings)
  }
}

function keyOf(host: string, user: string): string {
  return `${host} ${shortName(user)}`
}

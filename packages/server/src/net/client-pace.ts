import type { Clock } from '@varve/log'
import type { ResolvedConnectionLimits } from '../base/connection-limits.ts'
import type { Awaited, SlowClients } from './slow-clients.ts'

export interface PaceContext {
  readonly slowClients: SlowClients
  readonly limits: ResolvedConnectionLimits
  readonly clock: Clock
  /** Closes the connection. */
  giveUp(reason: string): void
}

/**
 * How fast the client of one connection does what is awaited of it: ends the requests that it has
 * begun, reads its answers, logs in. Costs nothing while nothing is awaited.
 */
export class ClientPace implements Awaited {
  readonly #context: PaceContext
  #partialSince: number | null = null
  #partialBytes = 0
  #receivedBytes = 0
  #unreadSince: number | null = null
  #unreadBytes = 0
  /** What had been written when answers began to wait. */
  #writtenBytes = 0
  #sentBytes = 0
  #loginSince: number | null = null
  #isHeld = false
  #isWatched = false

  constructor(context: PaceContext) {
    this.#context = context
  }

  get partialSince(): number | null {
    return this.#partialSince
  }

  get unreadSince(): number | null {
    return this.#unreadSince
  }

  giveUp(reason: string): void {
    this.#context.giveUp(reason)
    this.closed()
  }

  tooSlowWith(now: number): string | null {
    const { limits } = this.#context
    if (this.#loginSince !== null && now - this.#loginSince > limits.loginMsMax) {
      return 'its client does not log in'
    }
    const { slowMsMax, bytesPerSecondMin } = limits
    const isLate = (since: number, bytes: number): boolean =>
      now - since > slowMsMax + (bytes / bytesPerSecondMin) * 1000
    if (!this.#isHeld && this.#partialSince !== null) {
      if (isLate(this.#partialSince, this.#receivedBytes)) return 'its client sends too slowly'
    }
    if (this.#unreadSince !== null && isLate(this.#unreadSince, this.#sentBytes)) {
      return 'its client does not read its answers'
    }
    return null
  }

  /** The client has to log in. */
  awaitLogin(): void {
    this.#loginSince = this.#context.clock.monotonic()
    this.#watch()
  }

  loggedIn(): void {
    this.#loginSince = null
    this.#watch()
  }

  /**
   * Bytes have come.
   *
   * @param heldBytes memory that the request takes of which a part has come; null where there is
   * none
   * @param isNew whether that request began with these bytes
   */
  received(bytes: number, heldBytes: number | null, isNew: boolean): void {
    if (heldBytes === null) {
      if (this.#partialSince === null) return
      this.#partialSince = null
    } else if (this.#partialSince === null || isNew) {
      this.#partialSince = this.#context.clock.monotonic()
      this.#receivedBytes = bytes
    } else this.#receivedBytes += bytes
    this.#watch()
    const change = (heldBytes ?? 0) - this.#partialBytes
    this.#partialBytes += change
    if (change !== 0) this.#context.slowClients.countPartial(change)
  }

  /** Nothing is read from the client, or it is again: what it sends meanwhile is not looked at. */
  hold(isHeld: boolean): void {
    if (this.#isHeld && !isHeld && this.#partialSince !== null) {
      this.#partialSince = this.#context.clock.monotonic()
      this.#receivedBytes = 0
    }
    this.#isHeld = isHeld
  }

  /** Answers have been written, or taken by the client. */
  wrote(unreadBytes: number, writtenBytes: number): void {
    if (unreadBytes === 0) {
      if (this.#unreadSince === null) return
      this.#unreadSince = null
    } else if (this.#unreadSince === null) {
      this.#unreadSince = this.#context.clock.monotonic()
      this.#writtenBytes = writtenBytes - unreadBytes
    }
    this.#sentBytes = writtenBytes - this.#writtenBytes
    this.#watch()
    const change = unreadBytes - this.#unreadBytes
    this.#unreadBytes = unreadBytes
    if (change !== 0) this.#context.slowClients.countUnread(change)
  }

  closed(): void {
    this.#partialSince = null
    this.#unreadSince = null
    this.#loginSince = null
    this.#watch()
    const { slowClients } = this.#context
    slowClients.countPartial(-this.#partialBytes)
    slowClients.countUnread(-this.#unreadBytes)
    this.#partialBytes = 0
    this.#unreadBytes = 0
  }

  #watch(): void {
    const isAwaited =
      this.#partialSince !== null || this.#unreadSince !== null || this.#loginSince !== null
    if (isAwaited === this.#isWatched) return
    this.#isWatched = isAwaited
    if (isAwaited) this.#context.slowClients.watch(this)
    else this.#context.slowClients.release(this)
  }
}

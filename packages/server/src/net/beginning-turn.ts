import type { Clock } from '@varve/log'
import { turnMsMax } from '../base/turns.ts'

/** So many requests of a connection are begun in one turn, if they take no time. */
const turnRequestsMax = 256

/**
 * A turn of the event loop in which requests of one connection are begun. When it is over others
 * have theirs, and whatever else waits for the event loop: what is answered without waiting for
 * anything would keep it for itself.
 */
export class BeginningTurn {
  readonly #clock: Pick<Clock, 'monotonic'>
  #requests = 0
  #begunMs = 0

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** Never before one request has had its turn. */
  get isOver(): boolean {
    if (this.#requests === 0) return false
    const isFull = this.#requests >= turnRequestsMax
    return isFull || this.#clock.monotonic() - this.#begunMs >= turnMsMax
  }

  begin(): void {
    this.#requests = 0
    this.#begunMs = this.#clock.monotonic()
  }

  /** One more is begun. */
  count(): void {
    this.#requests++
  }
}

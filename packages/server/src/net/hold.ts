import type { Clock, Timer } from '@varve/log'
import type { RequestMemory } from './request-memory.ts'

export interface HoldContext {
  readonly clock: Clock
  readonly memory: Pick<RequestMemory, 'heldBack'>
  /** It is over. */
  ended(): void
  /** Closes the connection: what it keeps is needed. */
  giveUp(reason: string): void
}

/** A client that has to hold back for a while: nothing of what it sends is begun meanwhile. */
export class Hold {
  readonly #context: HoldContext
  #untilMs = 0
  #timer: Timer | null = null
  #letGo: (() => void) | null = null

  constructor(context: HoldContext) {
    this.#context = context
  }

  get isOn(): boolean {
    return this.#timer !== null
  }

  /** At least that long from now on, in ms. */
  begin(ms: number): void {
    const { clock } = this.#context
    const untilMs = clock.monotonic() + ms
    if (this.isOn && untilMs <= this.#untilMs) return
    this.#untilMs = untilMs
    this.#timer?.cancel()
    this.#timer = clock.setTimer(ms, () => this.end())
  }

  /** Requests wait for its end, and take memory. */
  keepRequests(): void {
    if (!this.isOn) return
    const { memory, giveUp } = this.#context
    this.#letGo ??= memory.heldBack(giveUp)
  }

  /** Before its time, where it is not over. */
  end(): void {
    if (!this.isOn) return
    this.cancel()
    this.#context.ended()
  }

  /** Nothing follows any more. */
  cancel(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#letGo?.()
    this.#letGo = null
  }
}

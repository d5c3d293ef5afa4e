import type { Clock } from './clock.ts'

/** Debts below this are let go on: a timer costs more than it would hold back. */
const debtMinMs = 20

/** Holds reads and writes to so many bytes a second, on average since they began. */
export class IoThrottle {
  readonly #bytesPerMs: number
  readonly #clock: Clock
  readonly #signal: AbortSignal | null
  /** When what was done would be paid for. */
  #paidMs: number

  /** `bytesPerSecond`: 0 for no limit. */
  constructor(bytesPerSecond: number, clock: Clock, signal: AbortSignal | null = null) {
    this.#bytesPerMs = bytesPerSecond / 1000
    this.#clock = clock
    this.#signal = signal
    this.#paidMs = clock.monotonic()
  }

  /** Throws the signal's reason once it was given. */
  throwIfAborted(): void {
    this.#signal?.throwIfAborted()
  }

  /** Resolves when so many more bytes may be on their way. Rejects when the signal is given. */
  async spend(bytes: number): Promise<void> {
    this.#signal?.throwIfAborted()
    if (this.#bytesPerMs === 0) return
    const nowMs = this.#clock.monotonic()
    this.#paidMs = Math.max(this.#paidMs, nowMs) + bytes / this.#bytesPerMs
    const debtMs = this.#paidMs - nowMs
    if (debtMs < debtMinMs) return
    await sleep(this.#clock, debtMs, this.#signal)
    this.#signal?.throwIfAborted()
  }
}

/** Resolves after so long, or at once when the signal is given. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal | null): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      signal?.removeEventListener('abort', end)
      timer.cancel()
      resolve()
    }
    const timer = clock.setTimer(delayMs, end, { keepsAlive: true })
    if (signal?.aborted === true) end()
    else signal?.addEventListener('abort', end)
  })
}

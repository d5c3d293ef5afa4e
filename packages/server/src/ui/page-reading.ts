import type { Clock } from '@varve/log'
import { DecompressionMemory } from '@varve/record'
import { turnMsMax } from '../base/turns.ts'
import { UiRequestError } from './ui-errors.ts'

/** Questions that wait for their turn; more are refused. */
const questionsMax = 64
/** Memory for decompressed batches that is kept from one to the next. */
const keptBytesMax = 32 * 2 ** 20

/** Who asked: nothing more is read for somebody who has gone. */
export interface Onlooker {
  readonly destroyed: boolean
}

/**
 * All that the page reads of logs, one question after the other. A batch may take 128 MiB when it
 * is decompressed, and a browser may ask a hundred things at once: so only one question has a batch
 * in memory, and all of them together keep the event loop for half of the time at most.
 */
export class PageReading {
  /** For the batches of whoever has their turn: what is read out of it must be copied. */
  readonly memory: DecompressionMemory = new DecompressionMemory(keptBytesMax)
  readonly #clock: Clock
  #last: Promise<unknown> = Promise.resolve()
  #questions = 0
  #readings = 0
  #onlooker: Onlooker | null = null
  #begunMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#begunMs = clock.monotonic()
  }

  /** Reads when its turn has come. Rejects with UiRequestError where too many wait. */
  async answer<Value>(onlooker: Onlooker, read: () => Promise<Value>): Promise<Value> {
    if (this.#questions >= questionsMax) {
      throw new UiRequestError(503, `${questionsMax} questions wait already: ask again`)
    }
    this.#questions++
    try {
      return await this.inTurn(onlooker, read)
    } finally {
      this.#questions--
    }
  }

  /** The same for those whose number has another bound. Rejects with UiRequestError. */
  inTurn<Value>(onlooker: Onlooker, read: () => Promise<Value>): Promise<Value> {
    if (this.#readings++ === 0) this.#begunMs = this.#clock.monotonic()
    const reading = this.#last.then(() => {
      this.#onlooker = onlooker
      this.#stopIfGone()
      return read()
    })
    const ended = (): void => {
      this.#readings--
    }
    this.#last = reading.then(ended, ended)
    return reading
  }

  /**
   * Between two steps of a reading: what has to be waited for first. Rejects with UiRequestError
   * where nobody waits for the answer any more.
   */
  pause(): Promise<void> | undefined {
    const workedMs = this.#clock.monotonic() - this.#begunMs
    return workedMs < turnMsMax ? undefined : this.#rest(Math.min(workedMs, 10 * turnMsMax))
  }

  async #rest(ms: number): Promise<void> {
    await new Promise<void>((resolve) => this.#clock.setTimer(ms, resolve, { keepsAlive: true }))
    this.#begunMs = this.#clock.monotonic()
    this.#stopIfGone()
  }

  #stopIfGone(): void {
    if (this.#onlooker?.destroyed === true) throw new UiRequestError(408, 'nobody waits for it')
  }
}

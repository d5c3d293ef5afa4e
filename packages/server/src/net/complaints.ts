import type { Logger } from '@varve/broker'
import type { Clock, Timer } from '@varve/log'

/** Lines of one kind within a stretch of time; what comes beyond is counted. */
const linesMax = 20
const stretchMs = 10_000

/** One kind of complaint within the stretch of time that runs. */
interface Stretch {
  lines: number
  readonly timer: Timer
}

/**
 * Warnings about clients. How many there are is up to clients, and a disk is not to be filled by
 * them: of each kind some are written, and then how many were left out.
 */
export class Complaints {
  readonly #logger: Logger
  readonly #clock: Clock
  /** By their message, of which there are few. */
  readonly #stretches = new Map<string, Stretch>()

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  warn(fields: object, message: string): void {
    let stretch = this.#stretches.get(message)
    if (stretch === undefined) {
      const timer = this.#clock.setTimer(stretchMs, () => this.#end(message))
      stretch = { lines: 0, timer }
      this.#stretches.set(message, stretch)
    }
    if (++stretch.lines <= linesMax) this.#logger.warn(fields, message)
  }

  /** Tells what was left out until now. */
  close(): void {
    for (const message of [...this.#stretches.keys()]) this.#end(message)
  }

  #end(message: string): void {
    const stretch = this.#stretches.get(message)
    if (stretch === undefined) return
    stretch.timer.cancel()
    this.#stretches.delete(message)
    const leftOut = stretch.lines - linesMax
    if (leftOut > 0) this.#logger.warn({ leftOut }, `more often than is written: ${message}`)
  }
}

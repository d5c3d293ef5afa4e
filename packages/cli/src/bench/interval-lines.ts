import type { IntervalFigures } from '@varve/bench'
import type { CommandIo } from '../command-io.ts'

/** Prints how a run is going, every so many of its intervals: on stderr, as Kafka's tools do. */
export class IntervalLines {
  readonly #io: CommandIo
  readonly #seconds: number
  readonly #lineOf: (intervals: readonly IntervalFigures[]) => string
  #gathered: IntervalFigures[] = []

  constructor(
    io: CommandIo,
    seconds: number,
    lineOf: (intervals: readonly IntervalFigures[]) => string,
  ) {
    this.#io = io
    this.#seconds = seconds
    this.#lineOf = lineOf
  }

  add(interval: IntervalFigures): void {
    this.#gathered.push(interval)
    const seconds = this.#gathered.reduce((sum, one) => sum + one.seconds, 0)
    if (seconds < this.#seconds - 0.05) return
    this.say(this.#lineOf(this.#gathered))
    this.#gathered = []
  }

  /** What is being done now. A failure to print is no failure of the run. */
  say(text: string): void {
    this.#io.stderr.write(`${text}\n`).catch(() => undefined)
  }
}

import { type IntervalFigures, producerIntervalLine } from '@varve/bench'
import type { CommandIo } from '../command-io.ts'

/** Prints how a run is going, every so many of its intervals: on stderr, as Kafka's tools do. */
export class IntervalLines {
  readonly #io: CommandIo
  readonly #seconds: number
  #gathered: IntervalFigures[] = []

  constructor(io: CommandIo, seconds: number) {
    this.#io = io
    this.#seconds = seconds
  }

  add(interval: IntervalFigures): void {
    this.#gathered.push(interval)
    const seconds = this.#gathered.reduce((sum, one) => sum + one.seconds, 0)
    if (seconds < this.#seconds - 0.05) return
    this.say(producerIntervalLine(this.#gathered))
    this.#gathered = []
  }

  /** What is being done now. A failure to print is no failure of the run. */
  say(text: string): void {
    this.#io.stderr.write(`${text}\n`).catch(() => undefined)
  }
}

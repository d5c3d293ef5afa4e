import type { ClientProgram } from '../../src/clients/client-program.ts'
import { LeashedProcess } from '../../src/kafka/leashed-process.ts'

/** What a client program says, one object a line. */
export interface ClientEvent {
  readonly event: string
  readonly value?: string
  readonly partition?: number
  readonly offset?: number
  readonly partitions?: readonly number[]
  readonly name?: string
  readonly result?: unknown
}

const patienceMs = 90_000

/** A run of one of the programs behind the common verbs. */
export class DrivenClient {
  readonly events: ClientEvent[] = []
  readonly #counts = new Map<string, number>()
  readonly #process: LeashedProcess
  readonly #what: string

  constructor(program: ClientProgram, options: Readonly<Record<string, unknown>>) {
    this.#what = `${options['clientId']} ${options['verb']}`
    const args = [...program.args, JSON.stringify(options)]
    const { command, environment } = program
    this.#process = new LeashedProcess(this.#what, command, args, environment)
    this.#process.onLine((line) => {
      if (line.startsWith('{')) this.#take(JSON.parse(line) as ClientEvent)
    })
  }

  /** Of the records that came, in their order. */
  get values(): readonly string[] {
    return this.events.flatMap(({ event, value }) =>
      event === 'record' && value !== undefined ? [value] : [],
    )
  }

  /** How many events of a kind have come. */
  count(event: string): number {
    return this.#counts.get(event) ?? 0
  }

  /** The partitions of its last assignment. */
  get assigned(): readonly number[] {
    return this.events.findLast(({ event }) => event === 'assigned')?.partitions ?? []
  }

  /** Resolves when the condition holds; rejects when the program ends before, or after a while. */
  async until(what: string, condition: () => boolean, pauseMs = 25): Promise<void> {
    const deadline = performance.now() + patienceMs
    while (!condition()) {
      if (!this.#process.isRunning) throw this.#failure(`has ended before ${what}`)
      if (performance.now() > deadline) {
        await this.#process.kill()
        throw this.#failure(`has waited in vain for ${what}`)
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }

  /** Asks it to end, and waits until it has, well. */
  async stop(): Promise<void> {
    this.#process.endInput()
    await this.finished()
  }

  /** Resolves when it has ended by itself and well; rejects when it has not. */
  async finished(): Promise<void> {
    const timer = setTimeout(() => void this.#process.kill(), patienceMs)
    await this.#process.ended
    clearTimeout(timer)
    if (this.#process.exitCode !== 0 || this.events.at(-1)?.event !== 'done') {
      throw this.#failure(`ends with ${this.#process.exitCode}`)
    }
  }

  /** Idempotent. */
  kill(): Promise<void> {
    return this.#process.kill()
  }

  #take(event: ClientEvent): void {
    this.events.push(event)
    this.#counts.set(event.event, this.count(event.event) + 1)
  }

  #failure(what: string): Error {
    const last = this.events.slice(-5).map((event) => JSON.stringify(event))
    return new Error(`${this.#what} ${what}\n${last.join('\n')}\n${this.#process.printed}`)
  }
}

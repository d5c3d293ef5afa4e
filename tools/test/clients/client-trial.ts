import { inject } from 'vitest'
import type { RequestFacts } from '../../src/clients/request-watcher.ts'
import type { ClientName } from '../../src/clients/tried-clients.ts'
import { DrivenClient } from './driven-client.ts'
import { ServedDirectory } from './served-directory.ts'

/** Another broker to try the programs against: it tells their faults from ours. */
const otherBroker = process.env['VARVE_TRY_BOOTSTRAP']

type Facts = Readonly<Record<string, unknown>>

/** A client program and a server for it, as long as a test file runs. */
export class ClientTrial {
  readonly name: ClientName
  readonly #clients: DrivenClient[] = []
  #served: ServedDirectory | null = null

  constructor(name: ClientName) {
    this.name = name
  }

  async start(): Promise<void> {
    if (otherBroker === undefined) this.#served = await ServedDirectory.start()
  }

  /** A topic, group or the like of this trial alone. */
  nameOf(what: string): string {
    return `${this.name}-${what}${otherBroker === undefined ? '' : `-${process.pid}`}`
  }

  get requests(): readonly RequestFacts[] {
    return this.#served?.requests ?? []
  }

  /** Starts the program with a verb. */
  open(verb: string, options: Facts): DrivenClient {
    const availability = inject('clients')[this.name]
    if (!availability.available) throw new Error(availability.reason)
    const bootstrap = otherBroker ?? this.#served?.bootstrapServers
    const client = new DrivenClient(availability.program, {
      ...{ verb, bootstrap, clientId: this.name },
      ...options,
    })
    this.#clients.push(client)
    return client
  }

  /** Starts it and waits until it has ended well. */
  async run(verb: string, options: Facts): Promise<DrivenClient> {
    const client = this.open(verb, options)
    await client.finished()
    return client
  }

  /** What a test that failed has left. */
  async endClients(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.kill()))
  }

  async stop(): Promise<void> {
    await this.#served?.stop()
  }
}

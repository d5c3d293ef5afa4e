import { silentLogger } from '@varve/broker/serving'
import { VarveError } from '@varve/record'
import type { ServerOptions } from '../../src/base/server-options.ts'
import { apiVersions } from '../../src/protocol/apis/api-versions.ts'
import type { Server } from '../../src/server.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

/** A server under attack, what it says meanwhile, and another client that wants to be served. */
export class WatchedServer implements AsyncDisposable {
  readonly server: Server
  /** Errors that it did not foresee: each is a mistake of ours. */
  readonly unforeseen: unknown[] = []
  /** Why connections were closed. */
  readonly reasons: string[] = []
  readonly #other: WireClient
  #slowestMs = 0
  #isWatching = true
  readonly #watching: Promise<void>

  private constructor(server: Server, other: WireClient) {
    this.server = server
    this.#other = other
    this.#watching = this.#watch()
  }

  static async start(options: Partial<ServerOptions> = {}): Promise<WatchedServer> {
    const said: object[] = []
    const logger = {
      ...silentLogger,
      warn: (what: object) => void said.push(what),
      error: (what: object) => void said.push(what),
    }
    const server = await startTestServer({ logger, ...options })
    const watched = new WatchedServer(server, await WireClient.connect(server.port))
    said.push = (what) => watched.#note(what)
    return watched
  }

  get port(): number {
    return this.server.port
  }

  /** The longest that the other client has waited for an answer, in ms; rejects if one failed. */
  async slowestMs(): Promise<number> {
    this.#isWatching = false
    await this.#watching
    return this.#slowestMs
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isWatching = false
    await this.#watching.catch(() => undefined)
    await this.#other[Symbol.asyncDispose]()
    await this.server.close()
  }

  #note(what: object): number {
    const error = 'err' in what ? what.err : null
    if (error !== null && !(error instanceof VarveError)) this.unforeseen.push(error)
    if ('reason' in what) this.reasons.push(String(what.reason))
    return 0
  }

  async #watch(): Promise<void> {
    while (this.#isWatching) {
      const started = performance.now()
      await this.#other.call(apiVersions, 0, {})
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - started)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

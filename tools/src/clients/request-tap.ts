import { connect, createServer, type Server, type Socket } from 'node:net'
import { type RequestFacts, RequestWatcher } from './request-watcher.ts'

export interface TapOptions {
  /** Where it listens, on the loopback interface. */
  readonly port: number
  /** Where it passes connections on to. */
  readonly target: number
}

/** A pass-through before a server that keeps which requests, in which versions, clients send. */
export class RequestTap {
  /** Requests by their API's key. */
  readonly counts: Map<number, number> = new Map()
  readonly #seen = new Map<string, RequestFacts>()
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(target: number) {
    this.#server = createServer((client) => this.#pass(client, target))
  }

  static async open({ port, target }: TapOptions): Promise<RequestTap> {
    const tap = new RequestTap(target)
    await new Promise<void>((resolve, reject) => {
      tap.#server.once('error', reject).listen(port, '127.0.0.1', resolve)
    })
    return tap
  }

  /** One for each combination that came. */
  get requests(): readonly RequestFacts[] {
    return [...this.#seen.values()]
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #pass(client: Socket, target: number): void {
    const server = connect(target, '127.0.0.1')
    const watcher = new RequestWatcher((facts) => {
      this.#seen.set(JSON.stringify(facts), facts)
      this.counts.set(facts.apiKey, (this.counts.get(facts.apiKey) ?? 0) + 1)
    })
    client.on('data', (bytes: Buffer) => watcher.take(bytes))
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from)
      from.setNoDelay(true)
      from.on('error', () => to.destroy())
      from.once('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  }
}

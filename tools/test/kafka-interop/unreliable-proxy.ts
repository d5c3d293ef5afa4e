import {
  type AddressInfo,
  createConnection,
  createServer,
  type Server,
  type Socket,
} from 'node:net'

/**
 * Stands between clients and a broker, and hangs up on them: before what they say has arrived,
 * after it has and before it was answered, or not at all.
 */
export class UnreliableProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  /** Where the broker is; null while it is away. */
  target: number | null = null
  /** Whether answers are kept back. */
  isMute = false
  /** How often it has hung up. */
  cuts = 0

  private constructor() {
    this.#server = createServer((client) => this.#connect(client))
  }

  static async listen(): Promise<UnreliableProxy> {
    const proxy = new UnreliableProxy()
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Hangs up on everybody; with `mute`, answers that are on their way are lost first. */
  async cut(muteMs = 0): Promise<void> {
    this.isMute = muteMs > 0
    if (muteMs > 0) await new Promise((resolve) => setTimeout(resolve, muteMs))
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy()
    this.cuts += this.#pairs.size
    this.#pairs.clear()
    this.isMute = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #connect(client: Socket): void {
    client.on('error', () => undefined)
    if (this.target === null) {
      client.destroy()
      return
    }
    const broker = createConnection(this.target, '127.0.0.1')
    const pair = [client, broker] as const
    this.#pairs.add(pair)
    const end = (): void => {
      client.destroy()
      broker.destroy()
      this.#pairs.delete(pair)
    }
    broker.on('error', end)
    client.on('data', (data) => broker.write(data))
    broker.on('data', (data) => {
      if (!this.isMute) client.write(data)
    })
    client.on('close', end)
    broker.on('close', end)
  }
}

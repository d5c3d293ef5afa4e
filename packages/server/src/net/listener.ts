import { createServer, type Server as NetServer, type Socket } from 'node:net'
import type { AdvertisedAddress } from '../base/client.ts'
import { ListenError } from '../base/server-errors.ts'
import type { ResolvedListenerOptions } from '../base/server-options.ts'
import { Connection, type ConnectionContext } from './connection.ts'

export type ListenerContext = Omit<ConnectionContext, 'listenerName' | 'advertised'>

/** An address that a server listens on, with the connections that came by it. */
export class Listener {
  readonly name: string
  readonly host: string
  /** The one that it listens on, also where any was asked for. */
  readonly port: number
  readonly advertised: AdvertisedAddress
  readonly connections: Set<Connection> = new Set()
  readonly #server: NetServer

  private constructor(server: NetServer, options: ResolvedListenerOptions) {
    const address = server.address()
    this.name = options.name
    this.host = options.host
    this.port = typeof address === 'object' && address !== null ? address.port : options.port
    const { advertisedHost, advertisedPort } = options
    this.advertised = { host: advertisedHost ?? this.host, port: advertisedPort ?? this.port }
    this.#server = server
  }

  /** Rejects with ListenError. */
  static async open(
    options: ResolvedListenerOptions,
    context: ListenerContext,
    nextConnectionId: () => number,
  ): Promise<Listener> {
    const server = createServer()
    await listen(server, options)
    const listener = new Listener(server, options)
    const { name: listenerName, advertised } = listener
    server.on('connection', (socket: Socket) => {
      const own = { ...context, listenerName, advertised }
      const connection = new Connection(socket, nextConnectionId(), own)
      listener.connections.add(connection)
      connection.onClosed(() => listener.connections.delete(connection))
    })
    return listener
  }

  /** Takes no more connections. */
  stop(): void {
    this.#server.close()
  }
}

function listen(server: NetServer, { host, port }: ResolvedListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(new ListenError(`${host}:${port}`, error.message, error))
    })
    server.listen({ host, port }, resolve)
  })
}

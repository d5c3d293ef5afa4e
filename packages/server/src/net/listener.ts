import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import type { AdvertisedAddress } from '../base/client.ts'
import type { ResolvedListenerOptions } from '../base/listener-options.ts'
import { ListenError } from '../base/server-errors.ts'
import { subjectOf } from '../security/distinguished-name.ts'
import { readTlsMaterial, type TlsMaterial } from '../security/tls-material.ts'
import type { Admission, Admitted, Refusal } from './admission.ts'
import { Connection } from './connection.ts'
import type { ConnectionContext } from './connection-context.ts'

/** How long a connection that came too soon is kept waiting: Kafka's quota window. */
const turnedAwayMs = 1000
/** So many are, and the others are closed at once. */
const turnedAwayMax = 1000

export interface ListenerContext extends Omit<ConnectionContext, 'listenerName' | 'advertised'> {
  readonly admission: Admission
  nextConnectionId(): number
}

/** A connection before it is known to be one of a client. */
interface Visit {
  readonly host: string
  readonly admitted: Admitted
}

/** A visit of which TLS has not been agreed yet. */
interface Handshake extends Visit {
  /** As it was accepted, below TLS. */
  readonly socket: Socket
}

/** An address that a server listens on, with the connections that came by it. */
export class Listener {
  readonly name: string
  readonly host: string
  /** The one that it listens on, also where any was asked for. */
  readonly port: number
  readonly advertised: AdvertisedAddress
  readonly connections: Set<Connection> = new Set()
  readonly #options: ResolvedListenerOptions
  readonly #context: ListenerContext
  readonly #connectionContext: ConnectionContext
  readonly #server: NetServer
  /** Makes connections secure that the other one has accepted. */
  readonly #tls: TlsServer | null
  readonly #turnedAway = new Set<Socket>()
  /** Those whose handshake is not done, by the client's address and port. */
  readonly #handshaking = new Map<string, Handshake>()
  #material: TlsMaterial | null

  private constructor(
    server: NetServer,
    options: ResolvedListenerOptions,
    context: ListenerContext,
    material: TlsMaterial | null,
  ) {
    const address = server.address()
    this.name = options.name
    this.host = options.host
    this.port = typeof address === 'object' && address !== null ? address.port : options.port
    const { advertisedHost, advertisedPort } = options
    this.advertised = { host: advertisedHost ?? this.host, port: advertisedPort ?? this.port }
    this.#options = options
    this.#context = context
    const { name: listenerName, advertised } = this
    this.#connectionContext = { ...context, listenerName, advertised }
    this.#server = server
    this.#material = material
    this.#tls = material === null ? null : this.#makeTlsServer(material)
    server.on('connection', (socket: Socket) => this.#accept(socket))
  }

  /** Rejects with ListenError, CertificateError. */
  static async open(options: ResolvedListenerOptions, context: ListenerContext): Promise<Listener> {
    const material = options.tls === null ? null : readTlsMaterial(options.tls)
    // Plain connections are read from as soon as they have their place, in another way.
    const server = createServer({ pauseOnConnect: material === null })
    await listen(server, options)
    return new Listener(server, options, context, material)
  }

  /** Takes no more connections; those whose handshake is not done were none yet. */
  stop(): void {
    this.#server.close()
    for (const socket of this.#turnedAway) socket.destroy()
    for (const { socket } of this.#handshaking.values()) socket.destroy()
  }

  /**
   * Reads the files of the certificate again, and shows what they hold to clients that come from
   * now on. Returns whether they have changed.
   *
   * @throws CertificateError nothing has changed then
   */
  reloadCertificate(): boolean {
    if (this.#tls === null || this.#options.tls === null) return false
    const material = readTlsMaterial(this.#options.tls)
    if (material.fingerprint === this.#material?.fingerprint) return false
    this.#tls.setSecureContext(material.options)
    this.#material = material
    return true
  }

  #accept(socket: Socket): void {
    const { admission, complaints } = this.#context
    const host = plainAddress(socket.remoteAddress)
    let owner: { destroy(): void } = socket
    const visitor = { host, destroy: () => owner.destroy() }
    const admitted = admission.enter(visitor, this.name)
    if (typeof admitted === 'string') {
      const fields = { host, listener: this.name, reason: admitted }
      complaints.warn(fields, 'a connection was refused')
      this.#turnAway(socket, admitted)
      return
    }
    if (this.#tls === null) {
      owner = this.#welcome(socket, { host, admitted }, null)
      return
    }
    const peer = peerOf(socket)
    this.#handshaking.set(peer, { host, admitted, socket })
    socket.once('close', () => {
      this.#handshaking.delete(peer)
      admitted.leave()
    })
    this.#tls.emit('connection', socket)
  }

  /** Clients connect again at once, and so more slowly where they are kept waiting. */
  #turnAway(socket: Socket, reason: Refusal): void {
    const isThrottled = reason === 'too many a second from its address'
    if (!isThrottled || this.#turnedAway.size >= turnedAwayMax) {
      socket.destroy()
      return
    }
    this.#turnedAway.add(socket)
    socket.pause()
    socket.on('error', () => undefined)
    socket.on('close', () => this.#turnedAway.delete(socket))
    this.#context.server.clock.setTimer(turnedAwayMs, () => socket.destroy())
  }

  #secured(socket: TLSSocket): void {
    const visit = this.#handshaking.get(peerOf(socket))
    this.#handshaking.delete(peerOf(socket))
    const certificate = socket.getPeerX509Certificate()
    // Where certificates are requested and not required, Node lets bad ones pass.
    const isDoubtful = certificate !== undefined && !socket.authorized
    const subject = certificate === undefined ? null : (subjectOf(certificate.raw) ?? '')
    if (visit === undefined || isDoubtful || subject === '') {
      socket.destroy()
      return
    }
    this.#welcome(socket, visit, subject === null ? null : `User:${subject}`)
  }

  #welcome(socket: Socket, { host, admitted }: Visit, certified: string | null): Connection {
    const connectionId = this.#context.nextConnectionId()
    const arrival = { connectionId, host, admitted, certified }
    const context = { ...this.#connectionContext, advertised: this.#advertisedTo(socket) }
    const connection = new Connection(socket, arrival, context)
    this.connections.add(connection)
    connection.onClosed(() => this.connections.delete(connection))
    return connection
  }

  /**
   * Nobody can connect to "all addresses": where no other one is advertised, a client is told the
   * one that it has reached.
   */
  #advertisedTo(socket: Socket): AdvertisedAddress {
    if (this.#options.advertisedHost !== null || !isEveryAddress(this.host)) return this.advertised
    return { host: plainAddress(socket.localAddress), port: this.advertised.port }
  }

  #makeTlsServer({ options }: TlsMaterial): TlsServer {
    const { server } = this.#context
    const handshakeTimeout = server.options.limits.loginMsMax
    const tls = createTlsServer({ ...options, handshakeTimeout })
    tls.on('secureConnection', (socket: TLSSocket) => this.#secured(socket))
    tls.on('tlsClientError', (error, socket) => {
      const host = plainAddress(socket.remoteAddress)
      server.logger.debug({ err: error, host, listener: this.name }, 'a TLS handshake failed')
      socket.destroy()
    })
    return tls
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

function isEveryAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

/** IPv4 as it is written, also where it comes by a socket of IPv6. */
function plainAddress(address: string | undefined): string {
  return address?.replace(/^::ffff:(?=[0-9.]+$)/i, '') ?? ''
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { ApiDeclaration, Decoded, Encodable } from '../src/protocol/api-declaration.ts'
import { FrameSplitter } from '../src/protocol/frame-splitter.ts'
import { decodeResponse, encodeRequest } from '../src/protocol/messages.ts'

/** A client that says exactly what a test tells it to. */
export class WireClient implements AsyncDisposable {
  readonly socket: Socket
  readonly #splitter = new FrameSplitter(2 ** 31 - 1)
  readonly #frames: Buffer[] = []
  readonly #waiting: ((frame: Buffer | null) => void)[] = []
  #isEnded = false
  #correlationId = 0

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (piece: Buffer) => {
      for (const frame of this.#splitter.push(piece)) {
        const waiting = this.#waiting.shift()
        if (waiting === undefined) this.#frames.push(frame)
        else waiting(frame)
      }
    })
    const end = (): void => {
      this.#isEnded = true
      for (const waiting of this.#waiting.splice(0)) waiting(null)
    }
    socket.on('end', end)
    socket.on('close', end)
    socket.on('error', end)
  }

  static async connect(port: number): Promise<WireClient> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    await once(socket, 'connect')
    return new WireClient(socket)
  }

  /** Rejects where the server or its certificate does not please, or the other way round. */
  static async connectSecurely(port: number, options: ConnectionOptions): Promise<WireClient> {
    const socket = connectTls({ host: '127.0.0.1', port, ...options })
    await once(socket, 'secureConnect')
    return new WireClient(socket)
  }

  /** The next answer; null when the connection ended instead. */
  next(): Promise<Buffer | null> {
    const frame = this.#frames.shift()
    if (frame !== undefined) return Promise.resolve(frame)
    if (this.#isEnded) return Promise.resolve(null)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Sends a request and does not wait; returns its correlation id. */
  send<Api extends ApiDeclaration>(
    api: Api,
    version: number,
    request: Encodable<Api['request']>,
  ): number {
    const correlationId = this.#correlationId++
    const origin = { correlationId, clientId: 'test' }
    for (const piece of encodeRequest(api, version, origin, request)) this.socket.write(piece)
    return correlationId
  }

  /** Sends bytes with their size in front. */
  sendFrame(frame: Buffer): void {
    const size = Buffer.alloc(4)
    size.writeInt32BE(frame.length)
    this.socket.write(Buffer.concat([size, frame]))
  }

  /** Waits for the next answer, which must be to this request; rejects when there is none. */
  async receive<Api extends ApiDeclaration>(
    api: Api,
    version: number,
    correlationId: number,
  ): Promise<Decoded<Api['response']>> {
    const frame = await this.next()
    if (frame === null) throw new Error(`the connection ended before ${api.name} was answered`)
    const decoded = decodeResponse(api, version, frame)
    if (decoded.correlationId !== correlationId) {
      throw new Error(`answer ${decoded.correlationId} came instead of ${correlationId}`)
    }
    return decoded.response
  }

  async call<Api extends ApiDeclaration>(
    api: Api,
    version: number,
    request: Encodable<Api['request']>,
  ): Promise<Decoded<Api['response']>> {
    return this.receive(api, version, this.send(api, version, request))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy()
    if (!this.socket.closed) await once(this.socket, 'close')
  }
}

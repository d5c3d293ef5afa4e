import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  type ApiDeclaration,
  type Decoded,
  decodeResponse,
  type Encodable,
  encodeRequest,
  FrameSplitter,
} from '@varve/server'

/** A connection on which single requests are made, of Kafka or of Varve. */
export class WireConnection {
  readonly #socket: Socket
  readonly #waiting: ((frame: Buffer) => void)[] = []
  #correlationId = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    const splitter = new FrameSplitter(2 ** 31 - 1)
    socket.on('data', (piece: Buffer) => {
      for (const frame of splitter.push(piece)) this.#waiting.shift()?.(frame)
    })
    // What was asked for is not answered then, and the test's time runs out.
    socket.on('error', () => undefined)
  }

  /** @param address `host:port` */
  static async open(address: string): Promise<WireConnection> {
    const [host = '', port = ''] = address.split(':')
    const socket = connect({ host, port: Number(port), noDelay: true })
    await once(socket, 'connect')
    return new WireConnection(socket)
  }

  async call<Api extends ApiDeclaration>(
    api: Api,
    version: number,
    request: Encodable<Api['request']>,
  ): Promise<Decoded<Api['response']>> {
    const answer = new Promise<Buffer>((resolve) => this.#waiting.push(resolve))
    const origin = { correlationId: this.#correlationId++, clientId: 'varve-contract' }
    for (const piece of encodeRequest(api, version, origin, request)) this.#socket.write(piece)
    return decodeResponse(api, version, await answer).response
  }

  close(): void {
    this.#socket.destroy()
  }
}

import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * The connections of an HTTP listener. Those without a request under way make room for newer ones,
 * oldest first: whoever opens connections and says nothing, or a header now and then, keeps nobody
 * from asking how the server is.
 */
export class HttpSockets {
  readonly #max: number
  /** Without a request under way, in the order in which that began. */
  readonly #idle = new Set<Socket>()
  /** The others, with what is or will be answered. */
  readonly #busy = new Map<Socket, Set<ServerResponse>>()

  constructor(max: number) {
    this.#max = max
  }

  /** Of answers that nobody has read yet, over all connections. */
  get unreadBytes(): number {
    let bytes = 0
    for (const responses of this.#busy.values()) {
      // Of several on one connection all but the first wait in memory of their own.
      for (const response of responses) bytes += response.writableLength
    }
    return bytes
  }

  /** A connection has come. */
  enter(socket: Socket): void {
    if (this.#idle.size + this.#busy.size >= this.#max) {
      const [oldest = socket] = this.#idle
      this.#idle.delete(oldest)
      oldest.destroy()
      if (oldest === socket) return
    }
    this.#idle.add(socket)
    socket.once('close', () => {
      this.#idle.delete(socket)
      this.#busy.delete(socket)
    })
  }

  /** A request has come, of which this is the answer. */
  begin(socket: Socket, response: ServerResponse): void {
    this.#idle.delete(socket)
    const responses = this.#busy.get(socket) ?? new Set()
    this.#busy.set(socket, responses.add(response))
    response.once('close', () => {
      responses.delete(response)
      if (responses.size > 0 || !this.#busy.delete(socket)) return
      if (!socket.destroyed) this.#idle.add(socket)
    })
  }
}

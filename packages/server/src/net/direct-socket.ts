import { type OnReadOpts, Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** Who takes in what comes through a socket, without memory made for it by the socket. */
export interface DirectReader {
  /** Where the next bytes are to be put. */
  target(): Buffer
  /** So many were put there. */
  received(count: number): void
}

/** What Node keeps of a socket that it has accepted. */
interface Accepted {
  _handle: object | null
  server?: unknown
  _server?: unknown
}

/** What a socket can be made of beside what Node's types name. */
interface HandleOptions {
  readonly handle: object
  readonly onread: OnReadOpts
}

/**
 * A socket in the place of one that has been accepted, paused, that reads into memory of ours: Node
 * lets only sockets that connect have that. The one that was accepted is not used any more.
 *
 * Returns null where this Node keeps its sockets in another way; then nothing has happened.
 */
export function directSocket(accepted: Socket, reader: DirectReader): Socket | null {
  // What it reads from its handle has to be decrypted first.
  if (accepted instanceof TLSSocket) return null
  const inner = accepted as unknown as Accepted
  const handle = inner._handle
  if (typeof handle !== 'object' || handle === null || !('useUserBuffer' in handle)) return null
  const onread: OnReadOpts = {
    buffer: () => reader.target(),
    callback: (count) => {
      reader.received(count)
      return true
    },
  }
  const options: HandleOptions = { handle, onread }
  const socket = new Socket(options as ConstructorParameters<typeof Socket>[0])
  // It counts among the connections of its server, as the other did.
  Object.assign(socket, { server: inner.server, _server: inner._server })
  inner._handle = null
  return socket
}

import type { Socket } from 'node:net'

/** Resolves when a connection has ended, by a reset too: `once` of `node:events` would reject. */
export function ended(socket: Socket): Promise<unknown> {
  if (socket.closed) return Promise.resolve()
  socket.on('error', () => undefined)
  return new Promise((resolve) => socket.once('close', resolve))
}

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { directSocket } from '../../src/net/direct-socket.ts'
import { ended } from '../ended.ts'

test('an accepted socket reads into memory of ours, and ends as others do', async () => {
  const received: Buffer[] = []
  const target = Buffer.alloc(8)
  const server = createServer({ pauseOnConnect: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [accepted] = (await once(server, 'connection')) as [Socket]
  const socket = directSocket(accepted, {
    target: () => target,
    received: (count) => received.push(Buffer.from(target.subarray(0, count))),
  })
  expect(socket).not.toBeNull()
  expect(socket?.remoteAddress).toBe('127.0.0.1')
  socket?.write('answer')
  const [answer] = (await once(client, 'data')) as [Buffer]
  expect(answer.toString()).toBe('answer')
  client.end('some bytes more than fit at once')
  if (socket !== null) await ended(socket)
  expect(Buffer.concat(received).toString()).toBe('some bytes more than fit at once')
  expect(received.every(({ length }) => length <= 8)).toBe(true)
  await new Promise((resolve) => server.close(resolve))
})

test('what is no socket of this Node is left as it is', () => {
  const reader = { target: () => Buffer.alloc(1), received: () => undefined }
  expect(directSocket({} as Socket, reader)).toBeNull()
})

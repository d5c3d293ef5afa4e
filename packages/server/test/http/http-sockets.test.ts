import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { silentLogger } from '@varve/broker/serving'
import { expect, test, vi } from 'vitest'
import { resolveHttpOptions } from '../../src/base/http-options.ts'
import { HttpListener } from '../../src/http/http-listener.ts'
import { type HttpRoute, sendText } from '../../src/http/http-route.ts'
import { ended } from '../ended.ts'
import { ask } from './http-client.ts'

const large = 'x'.repeat(20 * 2 ** 20)

async function withListener(
  use: (address: string, connected: () => Promise<Socket>) => Promise<void>,
): Promise<void> {
  const routes: HttpRoute[] = [
    { path: '/large', methods: ['GET'], handle: (it) => sendText(it, 200, large) },
    { path: '/open', methods: ['GET'], isOpen: true, handle: (it) => sendText(it, 200, 'yes') },
  ]
  const listener = await HttpListener.open(resolveHttpOptions({ port: 0 }), routes, silentLogger)
  const sockets: Socket[] = []
  const connected = async (): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port: listener.port })
    sockets.push(socket)
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    return socket
  }
  try {
    await use(listener.address, connected)
  } finally {
    for (const socket of sockets) socket.destroy()
    await listener.close()
  }
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n`

test('connections that end no request make room for those that do, oldest first', async () => {
  await withListener(async (address, connected) => {
    const slow: Socket[] = []
    for (let count = 0; count < 256; count++) {
      const socket = await connected()
      socket.write(get('/open'))
      slow.push(socket)
    }
    expect(await ask(address, '/open')).toMatchObject({ status: 200, text: 'yes' })
    await ended(slow[0] as Socket)
    const last = slow.at(-1) as Socket
    last.write('\r\n')
    const [answer] = await once(last, 'data')
    expect(String(answer)).toContain('200 OK')
  })
})

test('while answers are not read no large ones are made, but health is told', async () => {
  await withListener(async (address, connected) => {
    const idle: Socket[] = []
    for (let count = 0; count < 8; count++) {
      const socket = (await connected()).pause()
      socket.write(`${get('/large')}\r\n`)
      idle.push(socket)
    }
    await vi.waitFor(async () => expect((await ask(address, '/large')).status).toBe(503), 5000)
    expect((await ask(address, '/open')).status).toBe(200)
    for (const socket of idle) socket.destroy()
    await vi.waitFor(async () => expect((await ask(address, '/large')).status).toBe(200), 5000)
  })
})

test('requests that are sent without waiting for answers count with all of them', async () => {
  await withListener(async (address, connected) => {
    const socket = (await connected()).pause()
    socket.write(`${get('/large')}\r\n`.repeat(50))
    await vi.waitFor(async () => expect((await ask(address, '/large')).status).toBe(503), 5000)
    let bytes = 0
    socket.on('data', (piece: Buffer) => {
      bytes += piece.length
    })
    socket.resume()
    await vi.waitFor(async () => expect((await ask(address, '/large')).status).toBe(200), 20_000)
    expect(bytes).toBeLessThan(10 * large.length)
  })
})

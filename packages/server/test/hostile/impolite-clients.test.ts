import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import type { ApiDeclaration } from '../../src/protocol/api-declaration.ts'
import { apiVersions } from '../../src/protocol/apis/api-versions.ts'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { apis } from '../../src/protocol/apis.ts'
import { encodeRequest } from '../../src/protocol/messages.ts'
import { ended } from '../ended.ts'
import { logInPlainly } from '../sasl-client.ts'
import { startSaslServer } from '../sasl-server.ts'
import { servedHandlers } from '../served-handlers.ts'
import { WireClient } from '../wire-client.ts'
import { WatchedServer } from './watched-server.ts'

const origin = { correlationId: 1, clientId: null }
const hello = Buffer.concat(encodeRequest(apiVersions, 0, origin, {}))

/** A connection that never fails loudly. */
async function raw(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

async function answerTo(socket: Socket, request: Buffer): Promise<Buffer> {
  socket.write(request)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  expect(answer.readInt32BE(0)).toBe(answer.length - 4)
  return answer
}

test('clients that begin requests and go away leave nothing behind', async () => {
  await using watched = await WatchedServer.start()
  for (let length = 1; length < hello.length; length++) {
    const socket = await raw(watched.port)
    socket.end(hello.subarray(0, length))
    socket.resume()
    await ended(socket)
  }
  expect(watched.unforeseen).toEqual([])
  expect(await watched.slowestMs()).toBeLessThan(3000)
})

test.each([
  ['of less than nothing', 'ffffffff'],
  ['of the least', '80000000'],
  ['of the most', '7fffffff'],
  ['of one byte more than is accepted', '06400001'],
  ['of nothing', '00000000'],
  ['of a header that is cut', '00000003001200'],
])('a frame %s ends its connection', async (_, hex) => {
  await using watched = await WatchedServer.start()
  const socket = await raw(watched.port)
  socket.resume()
  socket.write(Buffer.from(hex, 'hex'))
  await ended(socket)
  expect(watched.unforeseen).toEqual([])
})

test('clients that send a byte now and then are closed, those that go on are not', async () => {
  const limits = { slowMsMax: 300, bytesPerSecondMin: 1000 }
  await using watched = await WatchedServer.start({ limits })
  const slow = await Promise.all(Array.from({ length: 50 }, () => raw(watched.port)))
  const dripping = setInterval(() => {
    for (const socket of slow) socket.write(Buffer.of(0))
  }, 50)
  for (const socket of slow) {
    socket.resume()
    socket.write(Buffer.from('00001000', 'hex'))
  }
  await Promise.all(slow.map(ended))
  clearInterval(dripping)
  // All are closed; of some it is written why.
  expect(watched.reasons.filter((reason) => reason.includes('too slowly'))).toHaveLength(20)
  expect(await watched.slowestMs()).toBeLessThan(3000)
})

test('connections that say nothing make room for those that do', async () => {
  const limits = { connectionsMax: 200, newcomersMax: 100 }
  await using watched = await WatchedServer.start({ limits })
  const silent: Socket[] = []
  for (let round = 0; round < 10; round++) {
    silent.push(...(await Promise.all(Array.from({ length: 50 }, () => raw(watched.port)))))
    await using client = await WireClient.connect(watched.port)
    expect((await client.call(apiVersions, 0, {})).errorCode).toBe(0)
  }
  for (const socket of silent) socket.resume()
  await Promise.all(silent.slice(0, 300).map(ended))
  for (const socket of silent) socket.destroy()
  expect(await watched.slowestMs()).toBeLessThan(3000)
})

test('a client that does not read its answers is closed in the end', async () => {
  const limits = { slowMsMax: 500, bytesPerSecondMin: 2 ** 30 }
  await using watched = await WatchedServer.start({ limits })
  const deaf = await raw(watched.port)
  deaf.pause()
  const topics = Array.from({ length: 1000 }, (_, index) => ({
    name: `${index}${'x'.repeat(200)}`,
  }))
  const request = { topics, allowAutoTopicCreation: false }
  const bytes = Buffer.concat(encodeRequest(metadata, 9, origin, request))
  for (let sent = 0; sent < 60; sent++) deaf.write(bytes)
  await expect
    .poll(() => watched.reasons, { timeout: 10_000 })
    .toEqual(['its client does not read its answers'])
  deaf.destroy()
  expect(await watched.slowestMs()).toBeLessThan(3000)
})

// Each is answered while the one before it is: what is answered at once must not pile up.
test.each([
  ['of a known API in a version that is not', '0000000a0012006300000005ffff'],
  ['that are answered later', '0000000a0012000000000005ffff'],
])('more requests in one piece than the stack has room for, %s', async (_, hex) => {
  await using watched = await WatchedServer.start()
  const count = 40_000
  const socket = await raw(watched.port)
  const one = await answerTo(socket, Buffer.from(hex, 'hex'))
  let receivedBytes = 0
  socket.on('data', (piece: Buffer) => {
    receivedBytes += piece.length
  })
  socket.write(Buffer.alloc(count * (hex.length / 2), hex, 'hex'))
  const all = { timeout: 60_000, interval: 100 }
  await expect.poll(() => receivedBytes, all).toBe(count * one.length)
  socket.destroy()
  expect(watched.unforeseen).toEqual([])
  expect(await watched.slowestMs()).toBeLessThan(1000)
})

test('whoever has not logged in is told nothing by any API', async () => {
  await using server = await startSaslServer({ accessWithoutAcls: 'allow' })
  const handlers = await servedHandlers(server)
  const closedByKey: string[] = []
  for (const api of apis) {
    const handler = handlers.get(api.key)
    if (handler?.isForStrangers === true) continue
    const first = handler?.versions.first ?? Number.parseInt(api.versions, 10)
    for (const version of new Set([first, handler?.versions.last ?? first])) {
      await using client = await WireClient.connect(server.port)
      // A whole header; what follows need not be a body.
      const declared: ApiDeclaration = api
      const head = Buffer.from('0000000e00000000000000010000', 'hex')
      head.writeInt16BE(declared.key, 4)
      head.writeInt16BE(version, 6)
      client.socket.write(Buffer.concat([head, Buffer.alloc(4)]))
      if ((await client.next()) === null) closedByKey.push(api.name)
    }
  }
  const others = apis.filter(({ key }) => handlers.get(key)?.isForStrangers !== true)
  expect(new Set(closedByKey)).toEqual(new Set(others.map(({ name }) => name)))
})

test('whoever fails to log in a hundred times does not hold up those who can', async () => {
  await using server = await startSaslServer({ limits: { failedLoginDelayMs: 20 } })
  const attempts = Array.from({ length: 100 }, async (_, index) => {
    await using client = await WireClient.connect(server.port)
    return (await logInPlainly(client, `user-${index % 3}`, 'guess')).errorCode
  })
  await using client = await WireClient.connect(server.port)
  const started = performance.now()
  expect((await logInPlainly(client, 'alice', 'right')).errorCode).toBe(0)
  expect(performance.now() - started).toBeLessThan(10_000)
  server.close().catch(() => undefined)
  await Promise.allSettled(attempts)
})

test('a client that never logs in is closed', async () => {
  await using server = await startSaslServer({ limits: { loginMsMax: 200 } })
  await using client = await WireClient.connect(server.port)
  expect((await client.call(apiVersions, 0, {})).errorCode).toBe(0)
  expect(await client.next()).toBeNull()
})

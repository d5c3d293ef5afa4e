import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import { InvalidArgumentError } from '@varve/record'
import { afterEach, expect, expectTypeOf, test } from 'vitest'
import { ClusterUnavailableError } from '../../src/cluster/cluster-errors.ts'
import type { ClusterVarve } from '../../src/cluster-varve.ts'
import type { DirectoryVarve } from '../../src/directory-varve.ts'
import { openVarve, type VarveAt } from '../../src/open-varve.ts'
import type { Varve } from '../../src/varve.ts'
import { errorOf } from '../broker-fixture.ts'

let server: Server | null = null
const sockets = new Set<Socket>()

afterEach(() => {
  for (const socket of sockets) socket.destroy()
  server?.close()
  server = null
})

/** Somebody who listens, and then does this. */
async function listening(onSocket: (socket: Socket) => void): Promise<number> {
  const made = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    onSocket(socket)
  })
  server = made
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  return (made.address() as AddressInfo).port
}

test('a cluster where nobody listens is refused in bounded time, saying what', async () => {
  const opening = () => openVarve('kafka://127.0.0.1:1', { cluster: { connectTimeoutMs: 300 } })
  // Loads the client as well.
  await errorOf(opening(), ClusterUnavailableError)
  const startedMs = performance.now()
  const error = await errorOf(opening(), ClusterUnavailableError)
  expect(performance.now() - startedMs).toBeLessThan(3000)
  expect(error.message).toContain('127.0.0.1:1')
  expect(error.message).toContain('ECONNREFUSED')
  expect(error.retriable).toBe(true)
})

test.each([
  ['says nothing', () => undefined],
  ['hangs up', (socket: Socket) => socket.end()],
  ['speaks another protocol', (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
])('so is one that %s', async (_what, onSocket) => {
  const port = await listening(onSocket)
  const cluster = {
    ...{ connectTimeoutMs: 300, requestTimeoutMs: 200 },
    sasl: { mechanism: 'PLAIN', username: 'me', password: 'hidden' },
  } as const
  const startedMs = performance.now()
  const opening = openVarve(`kafka://127.0.0.1:${port}`, { cluster })
  const error = await errorOf(opening, ClusterUnavailableError)
  expect(performance.now() - startedMs).toBeLessThan(3000)
  expect(JSON.stringify({ ...error, message: error.message })).not.toContain('hidden')
})

test('addresses and options that are wrong are refused at once', async () => {
  await errorOf(openVarve('kafka://a@b'), InvalidArgumentError)
  const cluster = { timeoutMs: -1 }
  await errorOf(openVarve('kafka://127.0.0.1:1', { cluster }), InvalidArgumentError)
  await errorOf(
    openVarve('kafka://127.0.0.1:1', { cluster: { clientId: '' } }),
    InvalidArgumentError,
  )
})

test('what an address gives is known where the address is', () => {
  expectTypeOf<VarveAt<'./data'>>().toEqualTypeOf<DirectoryVarve>()
  expectTypeOf<VarveAt<'kafka://a:1'>>().toEqualTypeOf<ClusterVarve>()
  expectTypeOf<VarveAt<string>>().toEqualTypeOf<Varve>()
  expectTypeOf<DirectoryVarve>().toExtend<Varve>()
  expectTypeOf<ClusterVarve>().toExtend<Varve>()
})

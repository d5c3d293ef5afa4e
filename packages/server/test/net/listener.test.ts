import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { InsecureListenerError, ListenError } from '../../src/base/server-errors.ts'
import { apiVersions } from '../../src/protocol/apis/api-versions.ts'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { ended } from '../ended.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('a port that is taken is said to be, and nothing stays open', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await expect(startTestServer({ port })).rejects.toBeInstanceOf(ListenError)
  other.close()
})

test('a server does not listen for others without asking who they are', async () => {
  const listeners = [{ host: '0.0.0.0', port: 0 }]
  await expect(startTestServer({ listeners })).rejects.toBeInstanceOf(InsecureListenerError)
  await using server = await startTestServer({
    listeners: [{ host: '0.0.0.0', port: 0, allowsAnonymousNetworkClients: true }],
  })
  await using client = await WireClient.connect(server.port)
  const { brokers } = await client.call(metadata, 9, { topics: [] })
  // Not 0.0.0.0, which nobody can connect to: the address that this client has reached.
  expect(brokers).toMatchObject([{ host: '127.0.0.1', port: server.port }])
})

test('a listener on all addresses tells clients the name that it is given', async () => {
  const advertised = { advertisedHost: 'broker.example', advertisedPort: 1234 }
  const all = { host: '0.0.0.0', port: 0, allowsAnonymousNetworkClients: true }
  await using server = await startTestServer({ listeners: [{ ...all, ...advertised }] })
  await using client = await WireClient.connect(server.port)
  const { brokers } = await client.call(metadata, 9, { topics: [] })
  expect(brokers).toMatchObject([{ host: 'broker.example', port: 1234 }])
})

test('one connection more than there may be is closed, and the others go on', async () => {
  await using server = await startTestServer({ limits: { connectionsMax: 2, newcomersMax: 2 } })
  const clients = [await WireClient.connect(server.port), await WireClient.connect(server.port)]
  for (const client of clients) expect((await client.call(apiVersions, 0, {})).errorCode).toBe(0)
  const third = connect({ host: '127.0.0.1', port: server.port })
  await ended(third)
  for (const client of clients) {
    expect((await client.call(apiVersions, 0, {})).errorCode).toBe(0)
    await client[Symbol.asyncDispose]()
  }
})

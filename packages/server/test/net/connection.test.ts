import { expect, test } from 'vitest'
import { apiVersions } from '../../src/protocol/apis/api-versions.ts'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { encodeRequest } from '../../src/protocol/messages.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }

test('requests that come in one piece are answered in their order', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const one = client.send(metadata, 9, { topics: [], allowAutoTopicCreation: false })
  const other = client.send(apiVersions, 3, software)
  expect((await client.receive(metadata, 9, one)).brokers).toHaveLength(1)
  expect((await client.receive(apiVersions, 3, other)).errorCode).toBe(0)
})

test('a request that comes byte by byte is answered', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const origin = { correlationId: 7, clientId: null }
  for (const byte of Buffer.concat(encodeRequest(apiVersions, 3, origin, software))) {
    client.socket.write(Buffer.of(byte))
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect((await client.receive(apiVersions, 3, 7)).errorCode).toBe(0)
})

test('a version of ApiVersions that is not known is answered in the form of version 0', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  // Length, key 18, version 99, correlation id 5, no client id.
  client.socket.write(Buffer.from('0000000a001200630000000' + '5ffff', 'hex'))
  const answer = await client.receive(apiVersions, 0, 5)
  expect(answer.errorCode).toBe(35)
  expect(answer.apiKeys.length).toBeGreaterThan(1)
})

test.each([
  ['an API that there is not', '0000000a7fff00000000000' + '5ffff'],
  ['a version that there is not', '0000000a000300630000000' + '5ffff'],
  ['a frame that is too large', '7fffffff'],
  ['a frame of a negative size', 'ffffffff'],
  ['a frame without a header', '00000002' + '0012'],
  ['a body that ends too early', '0000000c0003000100000005ffff0000'],
])('%s ends the connection, and no other', async (_, hex) => {
  await using server = await startTestServer()
  await using other = await WireClient.connect(server.port)
  await using client = await WireClient.connect(server.port)
  client.socket.write(Buffer.from(hex, 'hex'))
  expect(await client.next()).toBeNull()
  expect((await other.call(apiVersions, 3, software)).errorCode).toBe(0)
})

test('what came before a request that cannot be answered is answered', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const first = client.send(metadata, 9, { topics: [], allowAutoTopicCreation: false })
  client.socket.write(Buffer.from('0000000a7fff000000000005ffff', 'hex'))
  expect((await client.receive(metadata, 9, first)).brokers).toHaveLength(1)
  expect(await client.next()).toBeNull()
})

test('a client that does not read its answers is not read from either', async () => {
  await using server = await startTestServer()
  const names = Array.from({ length: 200 }, (_, index) => `topic-${index}`)
  await server.varve.createTopic('first')
  await using greedy = await WireClient.connect(server.port)
  greedy.socket.pause()
  const topics = names.map((name) => ({ name: `${name}-${'x'.repeat(200)}` }))
  const request = encodeRequest(
    metadata,
    9,
    { correlationId: 1, clientId: null },
    {
      topics,
      allowAutoTopicCreation: false,
    },
  )
  const bytes = Buffer.concat(request)
  let wasHeldUp = false
  for (let sent = 0; sent < 2000 && !wasHeldUp; sent++) {
    if (!greedy.socket.write(bytes)) {
      const drained = new Promise((resolve) => greedy.socket.once('drain', resolve))
      const held = new Promise((resolve) => setTimeout(() => resolve('held'), 500))
      wasHeldUp = (await Promise.race([drained, held])) === 'held'
    }
  }
  expect(wasHeldUp).toBe(true)
  await using other = await WireClient.connect(server.port)
  expect((await other.call(apiVersions, 3, software)).errorCode).toBe(0)
})

test('a server that closes answers what it has been asked', async () => {
  const server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const asked = client.send(metadata, 9, { topics: [{ name: 'new' }] })
  await new Promise((resolve) => setTimeout(resolve, 50))
  await server.close()
  expect((await client.receive(metadata, 9, asked)).topics[0]?.errorCode).toBe(0)
  expect(await client.next()).toBeNull()
})

import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { apiVersions } from '../../src/protocol/apis/api-versions.ts'
import { createPartitions } from '../../src/protocol/apis/create-partitions.ts'
import { createTopics } from '../../src/protocol/apis/create-topics.ts'
import { deleteTopics } from '../../src/protocol/apis/delete-topics.ts'
import { fetch } from '../../src/protocol/apis/fetch.ts'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { produce } from '../../src/protocol/apis/produce.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import type { Server } from '../../src/server.ts'
import { ended } from '../ended.ts'
import { alterQuotas, entry } from '../handlers/quota-requests.ts'
import { ask } from '../http/http-client.ts'
import { fetchRequest, producedBatch, produceRequest, valued, valuesIn } from '../produced-batch.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
const anonymous = { user: 'ANONYMOUS' }

/** What one client is held to holds for every connection of its. */
async function limit(
  server: Server,
  entity: Record<string, string | null>,
  quotas: Record<string, number | null>,
): Promise<void> {
  await using admin = await WireClient.connect(server.port)
  expect(await alterQuotas(admin, false, entry(entity, quotas))).toEqual([0])
}

function records(bytes: number): Buffer {
  return producedBatch(valued('x'.repeat(bytes))).bytes
}

/** How long the answer to the next request takes, in ms. */
async function waitedMs(client: WireClient): Promise<number> {
  const before = performance.now()
  expect((await client.call(apiVersions, 3, software)).errorCode).toBe(0)
  return performance.now() - before
}

test('a producer over its rate is told how long to wait, and is not read from meanwhile', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  await limit(server, anonymous, { producer_byte_rate: 1000 })
  await using client = await WireClient.connect(server.port)
  await using other = await WireClient.connect(server.port)
  const request = produceRequest({ topic: 'orders', records: records(10_800) })
  const answer = await client.call(produce, 9, request)
  expect(answer.responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
  expect(answer.throttleTimeMs).toBeGreaterThan(0)
  expect(answer.throttleTimeMs).toBeLessThan(1000)
  expect(await waitedMs(client)).toBeGreaterThan(answer.throttleTimeMs / 2)
  // Only the channel that went too far is closed for a while, as with Kafka.
  expect(await waitedMs(other)).toBeLessThan(answer.throttleTimeMs)
})

test('acks 0 is held back too, though nobody is told', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  await limit(server, { 'client-id': 'test' }, { producer_byte_rate: 1000 })
  await using client = await WireClient.connect(server.port)
  client.send(produce, 9, produceRequest({ topic: 'orders', records: records(10_900), acks: 0 }))
  const before = performance.now()
  const id = client.send(apiVersions, 3, software)
  await client.receive(apiVersions, 3, id)
  expect(performance.now() - before).toBeGreaterThan(50)
})

test('requests that wait behind one that went too far are answered after the pause', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  await limit(server, anonymous, { producer_byte_rate: 1000 })
  await using client = await WireClient.connect(server.port)
  const sent = Array.from({ length: 5 }, () => {
    return client.send(produce, 9, produceRequest({ topic: 'orders', records: records(2200) }))
  })
  const answers = []
  for (const id of sent) answers.push(await client.receive(produce, 9, id))
  const times = answers.map(({ throttleTimeMs }) => throttleTimeMs)
  expect(times.slice(0, 4)).toEqual([0, 0, 0, 0])
  expect(times[4]).toBeGreaterThan(0)
})

test('a consumer over its rate gets nothing, waits, and gets it then', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  const value = 'x'.repeat(6000)
  for (let count = 0; count < 2; count++) {
    await server.varve.log('orders', 0).append({ value })
  }
  await limit(server, anonymous, { consumer_byte_rate: 1100 })
  await using client = await WireClient.connect(server.port)
  const from = (fetchOffset: number) => ({
    ...fetchRequest({ topic: 'orders', fetchOffset, partitionMaxBytes: 100 }),
    ...{ sessionId: 0, sessionEpoch: 0 },
  })
  const first = await client.call(fetch, 12, from(0))
  expect(valuesIn(first.responses[0]?.partitions[0]?.records ?? null)).toEqual([value])
  expect(first.throttleTimeMs).toBe(0)
  expect(first.sessionId).toBeGreaterThan(0)
  const second = await client.call(fetch, 12, from(1))
  expect(second).toMatchObject({ errorCode: 0, responses: [], sessionId: 0 })
  expect(second.throttleTimeMs).toBeGreaterThan(0)
  const third = await client.call(fetch, 12, from(1))
  expect(third.responses[0]?.partitions[0]?.records?.length).toBeGreaterThan(6000)
})

test('a batch larger than its consumer may ever read passes when nothing else did', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  await server.varve.log('orders', 0).append({ value: 'x'.repeat(50_000) })
  await limit(server, anonymous, { consumer_byte_rate: 1000 })
  await using client = await WireClient.connect(server.port)
  const answer = await client.call(fetch, 12, fetchRequest({ topic: 'orders' }))
  expect(answer.responses[0]?.partitions[0]?.records?.length).toBeGreaterThan(50_000)
})

test('time on the event loop is counted, and pauses for it are at most a second', async () => {
  await using server = await startTestServer()
  await limit(server, anonymous, { request_percentage: 0.000_001 })
  await using client = await WireClient.connect(server.port)
  const answer = await client.call(metadata, 9, { topics: null })
  expect(answer.throttleTimeMs).toBeGreaterThan(0)
  expect(answer.throttleTimeMs).toBeLessThanOrEqual(1000)
  await limit(server, anonymous, { request_percentage: null })
  await using free = await WireClient.connect(server.port)
  expect((await free.call(metadata, 9, { topics: null })).throttleTimeMs).toBe(0)
})

test('topics beyond the rate of mutations are refused one by one, or made for old clients', async () => {
  await using server = await startTestServer()
  await limit(server, anonymous, { controller_mutation_rate: 1 })
  await using client = await WireClient.connect(server.port)
  const topic = (name: string, numPartitions: number) => {
    return { name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }
  }
  const many = { topics: [topic('a', 12), topic('b', 1)], timeoutMs: 1000 }
  const made = await client.call(createTopics, 7, { ...many, validateOnly: false })
  const { THROTTLING_QUOTA_EXCEEDED } = errorCodes
  expect(made.topics.map(({ errorCode }) => errorCode)).toEqual([0, THROTTLING_QUOTA_EXCEEDED])
  expect(made.throttleTimeMs).toBeGreaterThan(0)
  await using second = await WireClient.connect(server.port)
  const grown = await second.call(createPartitions, 3, {
    ...{ topics: [{ name: 'a', count: 13, assignments: null }], timeoutMs: 1000 },
    validateOnly: false,
  })
  expect(grown.results[0]?.errorCode).toBe(THROTTLING_QUOTA_EXCEEDED)
  await using third = await WireClient.connect(server.port)
  const old = await third.call(deleteTopics, 4, { topicNames: ['a'], timeoutMs: 1000 })
  expect(old.responses[0]?.errorCode).toBe(0)
  expect(old.throttleTimeMs).toBeGreaterThan(0)
})

test("a connection keeps to the server's own rate of requests", async () => {
  await using server = await startTestServer({ limits: { requestsPerSecondMax: 20 } })
  await using client = await WireClient.connect(server.port)
  const before = performance.now()
  const ids = Array.from({ length: 25 }, () => client.send(apiVersions, 3, software))
  for (const id of ids) await client.receive(apiVersions, 3, id)
  const tookMs = performance.now() - before
  expect(tookMs).toBeGreaterThan(150)
  expect(tookMs).toBeLessThan(2000)
})

test('connections from an address that come too fast wait and are closed', async () => {
  await using server = await startTestServer()
  await limit(server, { ip: '127.0.0.1' }, { connection_creation_rate: 1 })
  const clients = []
  for (let count = 0; count < 12; count++) clients.push(await WireClient.connect(server.port))
  const before = performance.now()
  await ended(clients.at(-1)?.socket as WireClient['socket'])
  expect(performance.now() - before).toBeGreaterThan(500)
  expect((await clients[0]?.call(apiVersions, 3, software))?.errorCode).toBe(0)
  for (const client of clients) await client[Symbol.asyncDispose]()
})

test("metrics have Kafka's names and say what was used", async () => {
  await using server = await startTestServer({ http: { port: 0 } })
  await server.varve.createTopic('orders')
  await limit(server, anonymous, { producer_byte_rate: 1000, controller_mutation_rate: 5 })
  await using client = await WireClient.connect(server.port)
  await client.call(produce, 9, produceRequest({ topic: 'orders', records: records(10_900) }))
  const { text } = await ask(server.httpAddress ?? '', '/metrics')
  const labels = '{resource="Produce",user="ANONYMOUS",clientId=""}'
  expect(text).toMatch(new RegExp(`kafka_server_quota_byte_rate${labels} 1\\d\\d\\d`))
  expect(text).toMatch(new RegExp(`kafka_server_quota_throttle_time${labels} [1-9]`))
  expect(text).toContain(
    `kafka_server_quota_tokens${labels.replace('Produce', 'ControllerMutation')} 55`,
  )
})

test('a server that closes does not wait for clients that hold back', async () => {
  const fs = new SimulatedFileSystem()
  const server = await startTestServer({}, fs)
  await server.varve.createTopic('orders')
  await limit(server, anonymous, { producer_byte_rate: 1 })
  await using client = await WireClient.connect(server.port)
  await client.call(produce, 9, produceRequest({ topic: 'orders', records: records(1000) }))
  client.send(metadata, 9, { topics: [] })
  await new Promise((resolve) => setTimeout(resolve, 50))
  const before = performance.now()
  await server.close()
  expect(performance.now() - before).toBeLessThan(2000)
})

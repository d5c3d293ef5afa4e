import { expect, test } from 'vitest'
import { fetch } from '../../src/protocol/apis/fetch.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import {
  fetchFrom,
  fetchRequest,
  producedBatch,
  produceTo,
  valued,
  valuesIn,
} from '../produced-batch.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('whole batches come as they were sent, from the one that holds the offset on', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  await using client = await WireClient.connect(server.port)
  for (const values of [['a', 'b'], ['c', 'd'], ['e']]) {
    await produceTo(client, { topic: 'orders', records: producedBatch(valued(...values)).bytes })
  }
  const answer = await fetchFrom(client, { topic: 'orders', fetchOffset: 3 })
  expect(answer).toMatchObject({ errorCode: 0, highWatermark: 5, lastStableOffset: 5 })
  expect(answer).toMatchObject({ logStartOffset: 0, abortedTransactions: null })
  expect(valuesIn(answer.records)).toEqual(['c', 'd', 'e'])
  const small = await fetchFrom(client, { topic: 'orders', partitionMaxBytes: 1 })
  expect(valuesIn(small.records)).toEqual(['a', 'b'])
})

test('an answer has at most fetch.max.bytes, or one batch', async () => {
  await using server = await startTestServer({ fetchBytesMax: 5000 })
  await server.varve.createTopic('orders')
  await using client = await WireClient.connect(server.port)
  const values = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(2000))
  for (const value of [...values, 'e'.repeat(7000)]) {
    await produceTo(client, { topic: 'orders', records: producedBatch(valued(value)).bytes })
  }
  const from = async (fetchOffset: number) => {
    return valuesIn((await fetchFrom(client, { topic: 'orders', fetchOffset })).records)
  }
  expect(await from(0)).toEqual(values.slice(0, 2))
  expect(await from(4)).toEqual(['e'.repeat(7000)])
})

test('a fetch at the end waits for what is produced, and not longer', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  await using consumer = await WireClient.connect(server.port)
  await using producer = await WireClient.connect(server.port)
  const waiting = fetchFrom(consumer, { topic: 'orders', maxWaitMs: 60_000 })
  const records = producedBatch(valued('a')).bytes
  await produceTo(producer, { topic: 'orders', records })
  expect(valuesIn((await waiting).records)).toEqual(['a'])
})

test('a fetch that asks for many bytes waits until they are there', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  await using consumer = await WireClient.connect(server.port)
  await using producer = await WireClient.connect(server.port)
  const { bytes: records } = producedBatch(valued('a'))
  const minBytes = 3 * records.length
  const waiting = fetchFrom(consumer, { topic: 'orders', maxWaitMs: 60_000, minBytes })
  for (let count = 0; count < 3; count++) await produceTo(producer, { topic: 'orders', records })
  expect(valuesIn((await waiting).records)).toEqual(['a', 'a', 'a'])
})

test('a fetch that finds nothing is answered when its time is over', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  await using client = await WireClient.connect(server.port)
  const before = performance.now()
  const answer = await fetchFrom(client, { topic: 'orders', maxWaitMs: 50 })
  expect(performance.now() - before).toBeGreaterThan(45)
  expect(answer).toMatchObject({ errorCode: 0, highWatermark: 0 })
  expect(answer.records).toHaveLength(0)
})

test('a server that stops answers those who wait', async () => {
  const server = await startTestServer()
  await server.varve.createTopic('orders')
  await using client = await WireClient.connect(server.port)
  const waiting = fetchFrom(client, { topic: 'orders', maxWaitMs: 60_000 })
  await fetchFrom(await WireClient.connect(server.port), { topic: 'orders' })
  await server.close()
  expect(await waiting).toMatchObject({ errorCode: 0 })
})

test('what cannot be fetched is said of its partition alone', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  await using client = await WireClient.connect(server.port)
  await produceTo(client, { topic: 'orders', records: producedBatch(valued('a')).bytes })
  const outside = await fetchFrom(client, { topic: 'orders', fetchOffset: 2, maxWaitMs: 1000 })
  expect(outside).toMatchObject({ errorCode: errorCodes.OFFSET_OUT_OF_RANGE, highWatermark: 1 })
  const codeOf = async (topic: string, more: object = {}): Promise<number> => {
    return (await fetchFrom(client, { topic, ...more })).errorCode
  }
  expect(await codeOf('missing')).toBe(errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  expect(await codeOf('orders', { partition: 1 })).toBe(errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  expect(await codeOf('orders', { currentLeaderEpoch: 1 })).toBe(errorCodes.UNKNOWN_LEADER_EPOCH)
  expect(await codeOf('orders', { currentLeaderEpoch: 0 })).toBe(0)
})

test('topics go by their ids from version 13 on', async () => {
  await using server = await startTestServer()
  const { topicId } = await server.varve.createTopic('orders')
  await using client = await WireClient.connect(server.port)
  await produceTo(client, { topic: 'orders', records: producedBatch(valued('a')).bytes })
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 2 ** 20 }]
  const unknown = { topicId: 'BBBBBBBBBBBBBBBBBBBBBA', partitions }
  const request = { ...fetchRequest({ topic: '' }), topics: [{ topicId, partitions }, unknown] }
  const { responses } = await client.call(fetch, 16, request)
  expect(responses.map((topic) => topic.topicId)).toEqual([topicId, unknown.topicId])
  expect(valuesIn(responses[0]?.partitions[0]?.records ?? null)).toEqual(['a'])
  expect(responses[1]?.partitions[0]?.errorCode).toBe(errorCodes.UNKNOWN_TOPIC_ID)
})

test('a session tells only what has changed', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders', { partitions: 2 })
  await using client = await WireClient.connect(server.port)
  const at = (partition: number, fetchOffset: number) => {
    return { partition, fetchOffset, partitionMaxBytes: 2 ** 20 }
  }
  const base = { maxWaitMs: 0, minBytes: 1, maxBytes: 2 ** 20, isolationLevel: 0 }
  const whole = { ...base, topics: [{ topic: 'orders', partitions: [at(0, 0), at(1, 0)] }] }
  const first = await client.call(fetch, 12, { ...whole, sessionId: 0, sessionEpoch: 0 })
  const { sessionId } = first
  expect(sessionId).toBeGreaterThan(0)
  expect(first.responses[0]?.partitions).toHaveLength(2)
  const go = (sessionEpoch: number, topics: (typeof whole)['topics'] = []) =>
    client.call(fetch, 12, { ...base, sessionId, sessionEpoch, topics })
  expect((await go(1)).responses).toEqual([])
  const records = producedBatch(valued('a')).bytes
  await produceTo(client, { topic: 'orders', partition: 1, records })
  const news = await go(2)
  expect(news.responses[0]?.partitions.map(({ partitionIndex }) => partitionIndex)).toEqual([1])
  expect((await go(3, [{ topic: 'orders', partitions: [at(1, 1)] }])).responses).toEqual([])
  expect((await go(3)).errorCode).toBe(errorCodes.INVALID_FETCH_SESSION_EPOCH)
  const ended = await client.call(fetch, 12, { ...whole, sessionId, sessionEpoch: -1 })
  expect(ended).toMatchObject({ errorCode: 0, sessionId: 0 })
  expect((await go(4)).errorCode).toBe(errorCodes.FETCH_SESSION_ID_NOT_FOUND)
})

import { partsOf } from '@varve/broker/serving'
import { expect, test } from 'vitest'
import { produce } from '../../src/protocol/apis/produce.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import type { Server } from '../../src/server.ts'
import { producedBatch, produceRequest, produceTo, valued } from '../produced-batch.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

async function valuesOf(server: Server, topic: string): Promise<string[]> {
  const values: string[] = []
  const options = { topics: [topic], from: 'earliest', follow: false } as const
  for await (const { value } of server.varve.consumer(options)) values.push(String(value))
  return values
}

test('batches get offsets in the order of the requests, also when many are under way', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  await using client = await WireClient.connect(server.port)
  const ids = Array.from({ length: 20 }, (_, index) => {
    const records = producedBatch(valued(`a${index}`, `b${index}`)).bytes
    return client.send(produce, 9, produceRequest({ topic: 'orders', records, acks: index % 2 }))
  })
  for (const [index, id] of ids.entries()) {
    if (index % 2 === 0) continue
    const { responses } = await client.receive(produce, 9, id)
    expect(responses[0]?.partitionResponses[0]).toMatchObject({
      ...{ errorCode: 0, baseOffset: 2 * index, logAppendTimeMs: -1, logStartOffset: 0 },
    })
  }
  const expected = ids.flatMap((_, index) => [`a${index}`, `b${index}`])
  expect(await valuesOf(server, 'orders')).toEqual(expected)
})

test('one partition that fails does not spoil the others', async () => {
  await using server = await startTestServer()
  const { topicId } = await server.varve.createTopic('orders', { partitions: 2 })
  await using client = await WireClient.connect(server.port)
  const good = producedBatch(valued('a')).bytes
  const corrupt = Buffer.from(good)
  corrupt[good.length - 1] = 99
  const partitionData = [
    { index: 0, records: corrupt },
    { index: 1, records: good },
    { index: 2, records: good },
  ]
  const request = { ...produceRequest({ topic: '', records: null }), acks: -1 }
  const { responses } = await client.call(produce, 13, {
    ...request,
    topicData: [
      { topicId, partitionData },
      { topicId: 'BBBBBBBBBBBBBBBBBBBBBA', partitionData: [{ index: 0, records: good }] },
    ],
  })
  const codes = responses.map(({ partitionResponses }) => {
    return partitionResponses.map(({ errorCode }) => errorCode)
  })
  const { CORRUPT_MESSAGE, UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID } = errorCodes
  expect(codes).toEqual([[CORRUPT_MESSAGE, 0, UNKNOWN_TOPIC_OR_PARTITION], [UNKNOWN_TOPIC_ID]])
})

test('with acks 0 nothing is answered, and a failure ends the connection', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  await using client = await WireClient.connect(server.port)
  const records = producedBatch(valued('a')).bytes
  client.send(produce, 9, produceRequest({ topic: 'orders', records, acks: 0 }))
  expect(await produceTo(client, { topic: 'orders', records }).catch(String)).toMatchObject({
    ...{ errorCode: 0, baseOffset: 1 },
  })
  client.send(produce, 9, produceRequest({ topic: 'missing', records, acks: 0 }))
  expect(await client.next()).toBeNull()
})

test('other acks, internal topics and unknown topics are refused', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  const { topics } = partsOf(server.varve) ?? {}
  await topics?.internal('__consumer_offsets', 1)
  await using client = await WireClient.connect(server.port)
  const records = producedBatch(valued('a')).bytes
  const codeOf = async (topic: string, acks: number): Promise<number> => {
    return (await produceTo(client, { topic, records, acks })).errorCode
  }
  expect(await codeOf('orders', 2)).toBe(errorCodes.INVALID_REQUIRED_ACKS)
  expect(await codeOf('missing', -1)).toBe(errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  expect(await codeOf('__consumer_offsets', 1)).toBe(errorCodes.INVALID_TOPIC_EXCEPTION)
})

test('a repeated batch of an idempotent producer gets the offsets that it has', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  await using client = await WireClient.connect(server.port)
  const send = (baseSequence: number, producerEpoch = 0) => {
    const shape = { producerId: 7, producerEpoch, baseSequence }
    const { bytes: records } = producedBatch(valued('a', 'b'), shape)
    return produceTo(client, { topic: 'orders', records })
  }
  expect(await send(0)).toMatchObject({ errorCode: 0, baseOffset: 0 })
  expect(await send(2)).toMatchObject({ errorCode: 0, baseOffset: 2 })
  expect(await send(0)).toMatchObject({ errorCode: 0, baseOffset: 0 })
  const { OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH } = errorCodes
  expect(await send(6)).toMatchObject({ errorCode: OUT_OF_ORDER_SEQUENCE_NUMBER, baseOffset: -1 })
  expect(await send(0, 1)).toMatchObject({ errorCode: 0, baseOffset: 4 })
  expect(await send(4)).toMatchObject({ errorCode: INVALID_PRODUCER_EPOCH })
})

test("the log's time is told where the topic takes it", async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders', { messageTimestampType: 'LogAppendTime' })
  await using client = await WireClient.connect(server.port)
  const records = producedBatch(valued('a'), { timestamp: 5 }).bytes
  const before = Date.now()
  const { logAppendTimeMs } = await produceTo(client, { topic: 'orders', records })
  expect(logAppendTimeMs).toBeGreaterThanOrEqual(before)
  const { topics } = partsOf(server.varve) ?? {}
  const { batches } = (await topics?.topic('orders').partitions[0]?.log.read({ from: 0 })) ?? {}
  expect(batches?.[0]?.maxTimestamp).toBe(logAppendTimeMs)
})

test('a record without a key for a topic that is compacted is named', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('state', { cleanupPolicy: 'compact' })
  await using client = await WireClient.connect(server.port)
  const records = producedBatch([{ key: 'k', value: 'a' }, { value: 'b' }]).bytes
  const answer = await produceTo(client, { topic: 'state', records })
  expect(answer.errorCode).toBe(errorCodes.INVALID_RECORD)
  expect(answer.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1])
})

import { partsOf } from '@varve/broker/serving'
import { expect, test } from 'vitest'
import { listOffsets } from '../../src/protocol/apis/list-offsets.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { producedBatch, produceTo } from '../produced-batch.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

async function ask(client: WireClient, timestamp: number, version = 7, more: object = {}) {
  const partitions = [{ partitionIndex: 0, timestamp, ...more }]
  const { topics } = await client.call(listOffsets, version, {
    topics: [{ name: 'orders', partitions }],
  })
  const { errorCode, offset, timestamp: found } = topics[0]?.partitions[0] ?? {}
  return { errorCode, offset, timestamp: found }
}

test('offsets are found by time, exact to the record', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  await using client = await WireClient.connect(server.port)
  const none = { errorCode: 0, offset: -1, timestamp: -1 }
  expect(await ask(client, -3)).toEqual(none)
  const timed = (...times: number[]) => {
    return producedBatch(times.map((timestamp) => ({ value: 'a', timestamp }))).bytes
  }
  await produceTo(client, { topic: 'orders', records: timed(10, 50, 20) })
  await produceTo(client, { topic: 'orders', records: timed(30, 70, 40) })
  expect(await ask(client, 11)).toEqual({ errorCode: 0, offset: 1, timestamp: 50 })
  expect(await ask(client, 51)).toEqual({ errorCode: 0, offset: 4, timestamp: 70 })
  expect(await ask(client, 71)).toEqual(none)
  expect(await ask(client, -3)).toEqual({ errorCode: 0, offset: 4, timestamp: 70 })
})

test('negative timestamps stand for the ends of the log', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  await using client = await WireClient.connect(server.port)
  const records = producedBatch([{ value: 'a' }, { value: 'b' }]).bytes
  await produceTo(client, { topic: 'orders', records })
  await produceTo(client, { topic: 'orders', records })
  const log = partsOf(server.varve)?.topics.topic('orders').partitions[0]?.log
  await log?.deleteSegmentsBefore(1)
  expect(await ask(client, -1, 1)).toEqual({ errorCode: 0, offset: 4, timestamp: -1 })
  expect(await ask(client, -2, 1)).toEqual({ errorCode: 0, offset: 1, timestamp: -1 })
  expect(await ask(client, -4, 8)).toEqual({ errorCode: 0, offset: 1, timestamp: -1 })
  expect(await ask(client, -5, 9)).toEqual({ errorCode: 0, offset: -1, timestamp: -1 })
  expect((await ask(client, -3, 6)).errorCode).toBe(errorCodes.UNSUPPORTED_VERSION)
})

test('what is wrong is said of its partition alone', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  await using client = await WireClient.connect(server.port)
  const at = (partitionIndex: number) => ({ partitionIndex, timestamp: -1 })
  const { topics } = await client.call(listOffsets, 4, {
    topics: [
      { name: 'orders', partitions: [at(0), { ...at(1), currentLeaderEpoch: 0 }] },
      { name: 'missing', partitions: [at(0), at(1), at(1)] },
    ],
  })
  const codes = topics.map(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
  const { UNKNOWN_TOPIC_OR_PARTITION: unknown, INVALID_REQUEST: repeated } = errorCodes
  expect(codes).toEqual([
    [0, unknown],
    [unknown, repeated, repeated],
  ])
  const { UNKNOWN_LEADER_EPOCH } = errorCodes
  expect((await ask(client, -1, 4, { currentLeaderEpoch: 5 })).errorCode).toBe(UNKNOWN_LEADER_EPOCH)
})

import { expect, test } from 'vitest'
import { deleteRecords } from '../../src/protocol/apis/delete-records.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('the first offset of partitions is raised, each by itself, and stays', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t', { partitions: 3 })
  for (const partition of [0, 1, 2]) {
    const log = server.varve.log('t', partition)
    for (let i = 0; i < 5; i++) await log.append({ value: `${i}` })
  }
  await using client = await WireClient.connect(server.port)
  const partitions = [
    { partitionIndex: 0, offset: 3 },
    { partitionIndex: 1, offset: -1 },
    { partitionIndex: 2, offset: 6 },
    { partitionIndex: 7, offset: 0 },
  ]
  const topics = [
    { name: 't', partitions },
    { name: 'nope', partitions: [{ partitionIndex: 0, offset: 0 }] },
  ]
  const answer = await client.call(deleteRecords, 2, { topics, timeoutMs: 1000 })
  const told = answer.topics.map((topic) =>
    topic.partitions.map(({ lowWatermark, errorCode }) => [lowWatermark, errorCode]),
  )
  expect(told).toEqual([
    [
      [3, 0],
      [5, 0],
      [-1, errorCodes.OFFSET_OUT_OF_RANGE],
      [-1, errorCodes.UNKNOWN_TOPIC_OR_PARTITION],
    ],
    [[-1, errorCodes.UNKNOWN_TOPIC_OR_PARTITION]],
  ])
  const starts = [0, 1, 2].map((partition) => server.varve.log('t', partition).logStartOffset)
  expect(starts).toEqual([3, 5, 0])
  const below = await client.call(deleteRecords, 0, {
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset: 1 }] }],
    timeoutMs: 1000,
  })
  expect(below.topics[0]?.partitions[0]).toMatchObject({ lowWatermark: 3, errorCode: 0 })
})

test.each([
  [-2, errorCodes.OFFSET_OUT_OF_RANGE],
  [2 ** 53 - 1, errorCodes.OFFSET_OUT_OF_RANGE],
  [-(2 ** 53 - 1), errorCodes.OFFSET_OUT_OF_RANGE],
])('offset %d is out of range', async (offset, errorCode) => {
  await using server = await startTestServer()
  await server.varve.createTopic('t')
  await using client = await WireClient.connect(server.port)
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0, offset }] }]
  const answer = await client.call(deleteRecords, 1, { topics, timeoutMs: 1000 })
  expect(answer.topics[0]?.partitions[0]).toMatchObject({ lowWatermark: -1, errorCode })
})

test('a topic that is only compacted keeps its records', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t', { cleanupPolicy: 'compact' })
  await using client = await WireClient.connect(server.port)
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0, offset: 0 }] }]
  const answer = await client.call(deleteRecords, 2, { topics, timeoutMs: 1000 })
  expect(answer.topics[0]?.partitions[0]?.errorCode).toBe(errorCodes.POLICY_VIOLATION)
})

import { expect, test } from 'vitest'
import { describeQuorum } from '../../src/protocol/apis/describe-quorum.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

const ask = (topicName: string, ...indexes: readonly number[]) => ({
  topics: [{ topicName, partitions: indexes.map((partitionIndex) => ({ partitionIndex })) }],
})

test('the quorum is one voter, which leads and is never behind', async () => {
  await using server = await startTestServer({ nodeId: 5 })
  await using client = await WireClient.connect(server.port)
  for (const version of [0, 1, 2]) {
    const answer = await client.call(describeQuorum, version, ask('__cluster_metadata', 0))
    expect(answer.errorCode).toBe(0)
    const [partition] = answer.topics[0]?.partitions ?? []
    expect(partition).toMatchObject({ errorCode: 0, leaderId: 5, leaderEpoch: 1, observers: [] })
    const [voter, ...others] = partition?.currentVoters ?? []
    expect(others).toEqual([])
    expect(voter).toMatchObject({ replicaId: 5, logEndOffset: partition?.highWatermark })
    if (version > 0) expect(voter?.lastCaughtUpTimestamp).toBeGreaterThan(0)
    expect(voter?.lastFetchTimestamp).toBe(voter?.lastCaughtUpTimestamp)
    if (version < 2) continue
    const listeners = [{ name: 'PLAINTEXT', host: '127.0.0.1', port: server.port }]
    expect(answer.nodes).toEqual([{ nodeId: 5, listeners }])
  }
})

test('any other partition, and the right one among others, is unknown', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const { UNKNOWN_TOPIC_OR_PARTITION: unknown } = errorCodes
  for (const request of [
    ask('orders', 0),
    ask('__cluster_metadata', 1),
    ask('__cluster_metadata', 0, 1),
    { topics: [...ask('__cluster_metadata', 0).topics, ...ask('orders', 0).topics] },
  ]) {
    const answer = await client.call(describeQuorum, 2, request)
    const codes = answer.topics.flatMap(({ partitions }) => partitions.map((one) => one.errorCode))
    expect(answer.errorCode).toBe(0)
    expect(codes).toEqual(codes.map(() => unknown))
    expect(codes.length).toBeGreaterThan(0)
  }
  const nothing = await client.call(describeQuorum, 2, { topics: [] })
  expect(nothing).toMatchObject({ errorCode: 0, topics: [], nodes: [] })
})

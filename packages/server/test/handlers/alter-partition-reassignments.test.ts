import { expect, test } from 'vitest'
import { alterPartitionReassignments } from '../../src/protocol/apis/alter-partition-reassignments.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('replicas are where they can be, and nowhere else', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t', { partitions: 4 })
  await using client = await WireClient.connect(server.port)
  const to = (partitionIndex: number, replicas: number[] | null) => ({ partitionIndex, replicas })
  const topics = [
    { name: 't', partitions: [to(0, [1]), to(1, [9]), to(8, [1]), to(2, null), to(3, [])] },
    { name: 'nope', partitions: [to(0, [1])] },
  ]
  for (const version of [0, 1]) {
    const answer = await client.call(alterPartitionReassignments, version, { topics })
    expect(answer.errorCode).toBe(0)
    const codes = answer.responses.map(({ partitions }) =>
      partitions.map(({ errorCode }) => errorCode),
    )
    expect(codes).toEqual([[0, 39, 3, 85, 39], [3]])
  }
})

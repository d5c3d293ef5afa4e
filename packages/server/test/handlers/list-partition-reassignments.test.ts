import { expect, test } from 'vitest'
import { listPartitionReassignments } from '../../src/protocol/apis/list-partition-reassignments.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('no replica is on its way', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t')
  await using client = await WireClient.connect(server.port)
  for (const topics of [null, [{ name: 't', partitionIndexes: [0, 9] }]]) {
    expect(await client.call(listPartitionReassignments, 0, { topics })).toMatchObject({
      ...{ errorCode: 0, errorMessage: null, topics: [] },
    })
  }
})

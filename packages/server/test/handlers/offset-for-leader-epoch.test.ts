import { expect, test } from 'vitest'
import { offsetForLeaderEpoch } from '../../src/protocol/apis/offset-for-leader-epoch.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { producedBatch, produceTo, valued } from '../produced-batch.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('an epoch that goes on ends at the end of the log', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  await using client = await WireClient.connect(server.port)
  const ask = async (leaderEpoch: number, more: object = {}) => {
    const partitions = [{ partition: 0, leaderEpoch, ...more }]
    const { topics } = await client.call(offsetForLeaderEpoch, 4, {
      topics: [{ topic: 'orders', partitions }],
    })
    return topics[0]?.partitions[0]
  }
  expect(await ask(0)).toMatchObject({ errorCode: 0, leaderEpoch: 0, endOffset: 0 })
  await produceTo(client, { topic: 'orders', records: producedBatch(valued('a', 'b')).bytes })
  expect(await ask(0)).toMatchObject({ errorCode: 0, leaderEpoch: 0, endOffset: 2 })
  expect(await ask(1)).toMatchObject({ errorCode: 0, leaderEpoch: -1, endOffset: -1 })
  const { UNKNOWN_LEADER_EPOCH, UNKNOWN_TOPIC_OR_PARTITION } = errorCodes
  expect(await ask(0, { currentLeaderEpoch: 3 })).toMatchObject({ errorCode: UNKNOWN_LEADER_EPOCH })
  expect(await ask(0, { partition: 3 })).toMatchObject({ errorCode: UNKNOWN_TOPIC_OR_PARTITION })
})

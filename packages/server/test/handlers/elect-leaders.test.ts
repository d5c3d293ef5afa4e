import { expect, test } from 'vitest'
import { electLeaders } from '../../src/protocol/apis/elect-leaders.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('no leader has to be elected, and what is not there has none', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t')
  await using client = await WireClient.connect(server.port)
  const topicPartitions = [
    { topic: 't', partitions: [0, 5] },
    { topic: 'nope', partitions: [0] },
  ]
  const answer = await client.call(electLeaders, 2, { electionType: 0, topicPartitions })
  expect(answer.errorCode).toBe(0)
  const codes = answer.replicaElectionResults.map(({ partitionResult }) =>
    partitionResult.map(({ errorCode }) => errorCode),
  )
  expect(codes).toEqual([[84, 3], [3]])
  expect(await client.call(electLeaders, 0, { topicPartitions: null })).toMatchObject({
    replicaElectionResults: [],
  })
  const unknown = await client.call(electLeaders, 1, { electionType: 7, topicPartitions })
  expect(unknown.errorCode).toBe(errorCodes.INVALID_REQUEST)
  expect(unknown.replicaElectionResults[0]?.partitionResult[0]?.errorCode).toBe(42)
})

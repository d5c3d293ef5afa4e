import { expect, test } from 'vitest'
import { alterReplicaLogDirs } from '../../src/protocol/apis/alter-replica-log-dirs.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('replicas can be put where they are, and nowhere else', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t')
  await using client = await WireClient.connect(server.port)
  const topics = [
    { name: 't', partitions: [0, 9] },
    { name: 'nope', partitions: [0] },
  ]
  const dirs = [
    { path: '/data/', topics },
    { path: '/nope', topics },
  ]
  const { results } = await client.call(alterReplicaLogDirs, 2, { dirs })
  const codes = results.map(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
  const { UNKNOWN_TOPIC_OR_PARTITION: unknown, LOG_DIR_NOT_FOUND: nowhere } = errorCodes
  expect(codes).toEqual([[0, unknown], [unknown], [nowhere, nowhere], [nowhere]])
})

import { expect, test } from 'vitest'
import { createPartitions } from '../../src/protocol/apis/create-partitions.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('a topic gets more partitions, unless it is only asked whether it could', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t', { partitions: 2 })
  await using client = await WireClient.connect(server.port)
  const topics = [{ name: 't', count: 4, assignments: null }]
  const ask = (validateOnly: boolean) =>
    client.call(createPartitions, 3, { topics, timeoutMs: 1000, validateOnly })
  expect((await ask(true)).results).toMatchObject([{ name: 't', errorCode: 0 }])
  expect((await server.varve.describeTopic('t')).partitions).toHaveLength(2)
  expect((await ask(false)).results).toMatchObject([{ name: 't', errorCode: 0 }])
  expect((await server.varve.describeTopic('t')).partitions).toHaveLength(4)
})

test.each([
  [2, null, 'INVALID_PARTITIONS'],
  [1, null, 'INVALID_PARTITIONS'],
  [-5, null, 'INVALID_PARTITIONS'],
  [3, [[1], [1]], 'INVALID_REPLICA_ASSIGNMENT'],
  [3, [[5]], 'INVALID_REPLICA_ASSIGNMENT'],
  [3, [[]], 'INVALID_REPLICA_ASSIGNMENT'],
  [3, [[1, 1]], 'INVALID_REPLICA_ASSIGNMENT'],
  [50_000, null, 'POLICY_VIOLATION'],
  [3, [[1]], 'NONE'],
] as const)('two partitions made %d, assigned %j: %s', async (count, brokers, error) => {
  await using server = await startTestServer()
  await server.varve.createTopic('t', { partitions: 2 })
  await using client = await WireClient.connect(server.port)
  const assignments = brokers?.map((brokerIds) => ({ brokerIds })) ?? null
  const topics = [{ name: 't', count, assignments }]
  const answer = await client.call(createPartitions, 1, {
    ...{ topics, timeoutMs: 1000, validateOnly: false },
  })
  expect(answer.results[0]?.errorCode).toBe(errorCodes[error])
  const { partitions } = await server.varve.describeTopic('t')
  expect(partitions).toHaveLength(error === 'NONE' ? 3 : 2)
})

test('one topic that cannot grow does not keep another from it', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t')
  await server.varve.createTopic('u')
  await using client = await WireClient.connect(server.port)
  const to = (name: string, count: number) => ({ name, count, assignments: null })
  const topics = [to('nope', 2), to('u', 2), to('u', 3), to('t', 2)]
  const answer = await client.call(createPartitions, 0, {
    ...{ topics, timeoutMs: 1000, validateOnly: false },
  })
  const told = new Map(answer.results.map(({ name, errorCode }) => [name, errorCode]))
  expect(told.get('nope')).toBe(errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  expect(told.get('u')).toBe(errorCodes.INVALID_REQUEST)
  expect(told.get('t')).toBe(errorCodes.NONE)
})

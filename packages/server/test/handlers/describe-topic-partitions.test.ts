import { expect, test } from 'vitest'
import { noTopicId } from '../../src/base/no-topic-id.ts'
import type { Encodable } from '../../src/protocol/api-declaration.ts'
import { describeTopicPartitions } from '../../src/protocol/apis/describe-topic-partitions.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

type Request = Encodable<typeof describeTopicPartitions.request>

interface Cursor {
  readonly topicName: string
  readonly partitionIndex: number
}

test('topics come in order, whatever is asked for in which order', async () => {
  await using server = await startTestServer()
  const { topicId } = await server.varve.createTopic('t', { partitions: 2 })
  await using client = await WireClient.connect(server.port)
  const topics = [{ name: 't' }, { name: 'nope' }, { name: 'a b' }, { name: 't' }]
  const answer = await client.call(describeTopicPartitions, 0, { topics, cursor: null })
  expect(answer.topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
    ['a b', errorCodes.INVALID_TOPIC_EXCEPTION],
    ['nope', errorCodes.UNKNOWN_TOPIC_OR_PARTITION],
    ['t', errorCodes.NONE],
  ])
  const missing = { topicId: noTopicId, topicAuthorizedOperations: 3576 }
  expect(answer.topics[0]).toMatchObject(missing)
  expect(answer.topics[2]).toMatchObject({ topicId, topicAuthorizedOperations: 3576 })
  expect(answer.topics[2]?.partitions[1]).toMatchObject({
    ...{ partitionIndex: 1, leaderId: 1, replicaNodes: [1], isrNodes: [1], offlineReplicas: [] },
    ...{ eligibleLeaderReplicas: [], lastKnownElr: [] },
  })
  expect(answer.nextCursor).toBeNull()
})

test.each([1, 2, 3, 4, 100])(
  'pages of %d partitions together have every one once',
  async (size) => {
    await using server = await startTestServer()
    for (const [name, partitions] of Object.entries({ a: 3, b: 1, c: 2 })) {
      await server.varve.createTopic(name, { partitions })
    }
    await using client = await WireClient.connect(server.port)
    const seen: string[] = []
    let cursor: Cursor | null = null
    do {
      const request: Request = { topics: [], responsePartitionLimit: size, cursor }
      const answer = await client.call(describeTopicPartitions, 0, request)
      const page = answer.topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex }) => `${name}-${partitionIndex}`),
      )
      expect(page.length).toBeLessThanOrEqual(size)
      seen.push(...page)
      cursor = answer.nextCursor
    } while (cursor !== null)
    expect(seen).toEqual(['a-0', 'a-1', 'a-2', 'b-0', 'c-0', 'c-1'])
  },
)

test('a cursor that points nowhere does no harm', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('a')
  await using client = await WireClient.connect(server.port)
  for (const cursor of [
    { topicName: 'a', partitionIndex: -5 },
    { topicName: 'a', partitionIndex: 99 },
    { topicName: 'zzz', partitionIndex: 0 },
  ]) {
    const request = { topics: [], responsePartitionLimit: -1, cursor }
    const { nextCursor } = await client.call(describeTopicPartitions, 0, request)
    expect(nextCursor).toBeNull()
  }
})

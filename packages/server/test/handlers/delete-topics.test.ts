import { partsOf } from '@varve/broker/serving'
import { expect, test } from 'vitest'
import { noTopicId } from '../../src/base/no-topic-id.ts'
import { deleteTopics } from '../../src/protocol/apis/delete-topics.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

/** From version 6 on, names are told with topics. */
const byTopic = { topicNames: [], timeoutMs: 1000 }

test('topics are deleted by name and by id, and are gone at once', async () => {
  await using server = await startTestServer()
  for (const name of ['a', 'b', 'c']) await server.varve.createTopic(name)
  const { topicId } = await server.varve.describeTopic('b')
  await using client = await WireClient.connect(server.port)
  const old = await client.call(deleteTopics, 1, { topicNames: ['a'], timeoutMs: 1000 })
  expect(old.responses).toMatchObject([{ name: 'a', errorCode: 0 }])
  const byId = await client.call(deleteTopics, 6, {
    ...{ topicNames: [], topics: [{ name: null, topicId }] },
    timeoutMs: 1000,
  })
  expect(byId.responses).toMatchObject([{ name: 'b', topicId, errorCode: 0 }])
  expect(await server.varve.listTopics()).toEqual(['c'])
})

test('what cannot be deleted is told by itself', async () => {
  await using server = await startTestServer()
  for (const name of ['fine', 'twice']) await server.varve.createTopic(name)
  const unknownId = 'AAAAAAAAAAAAAAAAAAAAAQ'
  await using client = await WireClient.connect(server.port)
  const named = (name: string) => ({ name, topicId: noTopicId })
  const topics = [
    ...[named('nope'), named('a b'), named('twice'), named('twice'), named('fine')],
    { name: null, topicId: noTopicId },
    { name: null, topicId: unknownId },
    { name: 'fine', topicId: unknownId },
  ]
  const { responses } = await client.call(deleteTopics, 6, { topics, ...byTopic })
  expect(responses.map(({ name, errorCode }) => [name, errorCode])).toEqual([
    ['nope', errorCodes.UNKNOWN_TOPIC_OR_PARTITION],
    ['a b', errorCodes.UNKNOWN_TOPIC_OR_PARTITION],
    ['twice', errorCodes.INVALID_REQUEST],
    ['fine', errorCodes.NONE],
    [null, errorCodes.INVALID_REQUEST],
    [null, errorCodes.UNKNOWN_TOPIC_ID],
    ['fine', errorCodes.INVALID_REQUEST],
  ])
  expect(await server.varve.listTopics()).toEqual(['twice'])
})

test('an internal topic stays', async () => {
  await using server = await startTestServer()
  await partsOf(server.varve)?.topics.internal('__consumer_offsets', 1)
  await using client = await WireClient.connect(server.port)
  const topics = [{ name: '__consumer_offsets', topicId: noTopicId }]
  const { responses } = await client.call(deleteTopics, 6, { topics, ...byTopic })
  expect(responses[0]?.errorCode).toBe(errorCodes.INVALID_TOPIC_EXCEPTION)
})

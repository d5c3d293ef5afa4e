import { expect, test } from 'vitest'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('a topic is described by name and by id, alike', async () => {
  await using server = await startTestServer({ nodeId: 4 })
  const { topicId } = await server.varve.createTopic('orders', { partitions: 3 })
  await using client = await WireClient.connect(server.port)
  const named = await client.call(metadata, 12, { topics: [{ name: 'orders' }] })
  expect(named.brokers).toEqual([{ nodeId: 4, host: '127.0.0.1', port: server.port, rack: null }])
  expect(named.controllerId).toBe(4)
  const [topic] = named.topics
  expect(topic).toMatchObject({ errorCode: 0, name: 'orders', topicId, isInternal: false })
  expect(topic?.partitions.map(({ partitionIndex }) => partitionIndex)).toEqual([0, 1, 2])
  expect(topic?.partitions[1]).toMatchObject({ leaderId: 4, replicaNodes: [4], isrNodes: [4] })
  const byId = await client.call(metadata, 12, { topics: [{ topicId, name: null }] })
  expect(byId.topics).toEqual(named.topics)
})

test('all topics are asked for with null, in version 0 with an empty list', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  await using client = await WireClient.connect(server.port)
  const namesOf = (topics: readonly { readonly name: string | null }[]) =>
    topics.map(({ name }) => name)
  expect(namesOf((await client.call(metadata, 1, { topics: null })).topics)).toEqual(['orders'])
  expect(namesOf((await client.call(metadata, 0, { topics: [] })).topics)).toEqual(['orders'])
  expect(namesOf((await client.call(metadata, 1, { topics: [] })).topics)).toEqual([])
})

test('a topic that is not there is made where both sides agree to it', async () => {
  await using server = await startTestServer({ numPartitions: 4 })
  await using client = await WireClient.connect(server.port)
  const topics = [{ name: 'made' }]
  const refused = await client.call(metadata, 9, { topics, allowAutoTopicCreation: false })
  expect(refused.topics[0]?.errorCode).toBe(errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  const made = await client.call(metadata, 9, { topics, allowAutoTopicCreation: true })
  expect(made.topics[0]).toMatchObject({ errorCode: 0, name: 'made' })
  expect(made.topics[0]?.partitions).toHaveLength(4)
  expect(await server.varve.listTopics()).toEqual(['made'])
})

test('a server that is told so makes no topics by itself', async () => {
  await using server = await startTestServer({ autoCreateTopics: false })
  await using client = await WireClient.connect(server.port)
  const { topics } = await client.call(metadata, 9, { topics: [{ name: 'a' }, { name: 'a b' }] })
  expect(topics.map(({ errorCode }) => errorCode)).toEqual([
    errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
    errorCodes.INVALID_TOPIC_EXCEPTION,
  ])
  expect(await server.varve.listTopics()).toEqual([])
})

test('what may be done is told of topics that are not there too, where it is asked for', async () => {
  await using server = await startTestServer({ autoCreateTopics: false })
  await using client = await WireClient.connect(server.port)
  for (const includeTopicAuthorizedOperations of [true, false]) {
    const request = { topics: [{ name: 'a' }], includeTopicAuthorizedOperations }
    const { topics } = await client.call(metadata, 12, request)
    const told = includeTopicAuthorizedOperations ? 0b110111111000 : -(2 ** 31)
    expect(topics[0]?.topicAuthorizedOperations).toBe(told)
  }
})

test('the cluster keeps its id when the directory is served again', async () => {
  const { SimulatedFileSystem } = await import('@varve/log/testing')
  const fs = new SimulatedFileSystem()
  const ids: (string | null)[] = []
  for (let life = 0; life < 2; life++) {
    await using server = await startTestServer({}, fs)
    await using client = await WireClient.connect(server.port)
    ids.push((await client.call(metadata, 9, { topics: [] })).clusterId)
  }
  expect(ids[0]).toMatch(/^[A-Za-z0-9_-]{22}$/)
  expect(ids[1]).toBe(ids[0])
})

test('one request makes no more than a hundred topics, and is told of the others to ask again', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const topics = Array.from({ length: 130 }, (_, index) => ({ name: `t${index}` }))
  const missing = async () => {
    const answer = await client.call(metadata, 9, { topics, allowAutoTopicCreation: true })
    expect(answer.topics.map(({ name }) => name)).toEqual(topics.map(({ name }) => name))
    return answer.topics.filter(({ errorCode }) => {
      return errorCode === errorCodes.UNKNOWN_TOPIC_OR_PARTITION
    }).length
  }
  expect([await missing(), await missing()]).toEqual([30, 0])
})

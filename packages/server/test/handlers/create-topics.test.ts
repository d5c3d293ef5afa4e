import { expect, test } from 'vitest'
import { createTopics } from '../../src/protocol/apis/create-topics.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

interface Wanted {
  readonly name: string
  readonly numPartitions: number
  readonly replicationFactor: number
  readonly assignments: readonly { partitionIndex: number; brokerIds: readonly number[] }[]
  readonly configs: readonly { name: string; value: string | null }[]
}

function wanted(name: string, rest: Partial<Wanted> = {}): Wanted {
  return { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...rest }
}

test('topics are made with partitions and settings, and every setting is told', async () => {
  await using server = await startTestServer({ numPartitions: 4 })
  await using client = await WireClient.connect(server.port)
  const configs = [
    { name: 'cleanup.policy', value: 'compact,delete' },
    { name: 'retention.ms', value: '9223372036854775807' },
    { name: 'min.insync.replicas', value: '2' },
  ]
  const topics = [
    wanted('orders', { numPartitions: 3, configs }),
    wanted('usual', { numPartitions: -1, replicationFactor: -1 }),
    wanted('assigned', {
      ...{ numPartitions: -1, replicationFactor: -1 },
      assignments: [
        { partitionIndex: 1, brokerIds: [1] },
        { partitionIndex: 0, brokerIds: [1] },
      ],
    }),
  ]
  const answer = await client.call(createTopics, 7, { topics })
  expect(answer.topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
    ['orders', 0],
    ['usual', 0],
    ['assigned', 0],
  ])
  const [orders, usual, assigned] = answer.topics
  expect(orders).toMatchObject({ numPartitions: 3, replicationFactor: 1 })
  expect([usual?.numPartitions, assigned?.numPartitions]).toEqual([4, 2])
  const told = new Map(orders?.configs?.map((config) => [config.name, config]))
  expect(told.get('cleanup.policy')).toMatchObject({ value: 'compact,delete', configSource: 1 })
  expect(told.get('retention.ms')).toMatchObject({ value: '-1', configSource: 1 })
  expect(told.get('min.insync.replicas')).toMatchObject({ value: '2', configSource: 1 })
  expect(told.get('segment.bytes')).toMatchObject({ value: '1073741824', configSource: 5 })
  const { topicId, settings } = await server.varve.describeTopic('orders')
  expect(orders?.topicId).toBe(topicId)
  expect(settings).toMatchObject({
    cleanupPolicy: ['compact', 'delete'],
    retentionMs: -1,
    kafkaSettings: { 'min.insync.replicas': '2' },
  })
})

test('what cannot be made is told by itself, with the code that Kafka has for it', async () => {
  await using server = await startTestServer({ replicationFactor: 'refuse' })
  await server.varve.createTopic('t')
  await using client = await WireClient.connect(server.port)
  const unset = { numPartitions: -1, replicationFactor: -1 }
  const config = (name: string, value: string | null) => ({ configs: [{ name, value }] })
  const assigned = (partitionIndex: number, ...brokerIds: number[]) => ({
    ...unset,
    assignments: [{ partitionIndex, brokerIds }],
  })
  const cases: readonly (readonly [Wanted, keyof typeof errorCodes])[] = [
    [wanted('t'), 'TOPIC_ALREADY_EXISTS'],
    [wanted('a b'), 'INVALID_TOPIC_EXCEPTION'],
    [wanted('__consumer_offsets'), 'INVALID_TOPIC_EXCEPTION'],
    [wanted('r3', { replicationFactor: 3 }), 'INVALID_REPLICATION_FACTOR'],
    [wanted('r0', { replicationFactor: 0 }), 'INVALID_REPLICATION_FACTOR'],
    [wanted('p0', { numPartitions: 0 }), 'INVALID_PARTITIONS'],
    [wanted('c1', config('nonsense', '1')), 'INVALID_CONFIG'],
    [wanted('c2', config('retention.ms', 'abc')), 'INVALID_CONFIG'],
    [wanted('c3', config('cleanup.policy', 'shred')), 'INVALID_CONFIG'],
    [wanted('c4', config('retention.ms', null)), 'INVALID_CONFIG'],
    [wanted('c5', config('remote.storage.enable', 'true')), 'INVALID_CONFIG'],
    [wanted('c6', config('follower.replication.throttled.replicas', 'x')), 'INVALID_CONFIG'],
    [wanted('c7', config('min.compaction.lag.ms', '-1')), 'INVALID_CONFIG'],
    [wanted('m1', assigned(0, 9)), 'INVALID_REPLICA_ASSIGNMENT'],
    [wanted('m2', assigned(1, 1)), 'INVALID_REPLICA_ASSIGNMENT'],
    [wanted('m3', { ...assigned(0, 1), numPartitions: 1 }), 'INVALID_REQUEST'],
    [wanted('fine'), 'NONE'],
  ]
  const twice = [wanted('d'), wanted('d')]
  const topics = [...cases.map(([topic]) => topic), ...twice]
  for (const validateOnly of [true, false]) {
    const answer = await client.call(createTopics, 5, { topics, validateOnly })
    const told = new Map(answer.topics.map(({ name, errorCode }) => [name, errorCode]))
    for (const [{ name }, error] of cases) {
      expect([name, told.get(name)]).toEqual([name, errorCodes[error]])
    }
    expect(told.get('d')).toBe(errorCodes.INVALID_REQUEST)
    expect(answer.topics).toHaveLength(cases.length + 1)
    expect(await server.varve.listTopics()).toEqual(validateOnly ? ['t'] : ['t', 'fine'])
  }
})

test('more than one copy is made as one, unless the server is told otherwise', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const topics = [wanted('r3', { replicationFactor: 3 })]
  const answer = await client.call(createTopics, 7, { topics })
  expect(answer.topics[0]).toMatchObject({ errorCode: 0, replicationFactor: 1 })
})

test('one request makes no more than ten thousand partitions', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const topics = [wanted('small'), wanted('large', { numPartitions: 10_000 })]
  const answer = await client.call(createTopics, 7, { topics })
  expect(answer.topics.map(({ errorCode }) => errorCode)).toEqual([44, 44])
  expect(await server.varve.listTopics()).toEqual([])
})

test('the oldest version makes topics too', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const answer = await client.call(createTopics, 0, { topics: [wanted('old')] })
  expect(answer.topics).toMatchObject([{ name: 'old', errorCode: 0 }])
})

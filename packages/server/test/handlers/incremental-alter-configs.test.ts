import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { resourceTypes } from '../../src/administration/config-entry.ts'
import { incrementalAlterConfigs } from '../../src/protocol/apis/incremental-alter-configs.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

const { topic, broker } = resourceTypes
const [set, remove, append, subtract] = [0, 1, 2, 3]

function of(
  resourceType: number,
  resourceName: string,
  ...configs: (readonly [name: string, operation: number, value: string | null])[]
) {
  return {
    ...{ resourceType, resourceName },
    configs: configs.map(([name, configOperation, value]) => ({ name, configOperation, value })),
  }
}

test('single settings change, all that are named or none', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t', { segmentMs: 5, retentionMs: 6 })
  await using client = await WireClient.connect(server.port)
  const changes = of(
    topic,
    't',
    ['retention.ms', set, '7'],
    ['segment.ms', remove, null],
    ['cleanup.policy', append, 'compact'],
  )
  const wrong = of(topic, 't', ['retention.ms', set, '8'], ['segment.ms', set, '-8'])
  const ask = (resource: typeof changes, validateOnly: boolean) =>
    client.call(incrementalAlterConfigs, 1, { resources: [resource], validateOnly })
  const settings = async () => (await server.varve.describeTopic('t')).settings
  expect((await ask(changes, true)).responses[0]?.errorCode).toBe(0)
  expect(await settings()).toMatchObject({ retentionMs: 6, segmentMs: 5 })
  expect((await ask(changes, false)).responses[0]?.errorCode).toBe(0)
  const after = {
    ...{ retentionMs: 7, segmentMs: 604_800_000, cleanupPolicy: ['delete', 'compact'] },
  }
  expect(await settings()).toMatchObject(after)
  for (const validateOnly of [true, false]) {
    const { responses } = await ask(wrong, validateOnly)
    expect(responses[0]?.errorCode).toBe(errorCodes.INVALID_CONFIG)
  }
  expect(await settings()).toMatchObject(after)
})

test.each([
  [['retention.ms', append, '1'], 'INVALID_CONFIG'],
  [['cleanup.policy', 9, 'compact'], 'INVALID_REQUEST'],
  [['cleanup.policy', set, null], 'INVALID_REQUEST'],
  [['cleanup.policy', subtract, 'delete'], 'INVALID_CONFIG'],
  [['nonsense', set, '1'], 'INVALID_CONFIG'],
  [['nonsense', remove, null], 'NONE'],
] as const)('%j: %s', async (change, error) => {
  await using server = await startTestServer()
  await server.varve.createTopic('t')
  await using client = await WireClient.connect(server.port)
  const resources = [of(topic, 't', change)]
  const { responses } = await client.call(incrementalAlterConfigs, 0, {
    ...{ resources, validateOnly: false },
  })
  expect(responses[0]?.errorCode).toBe(errorCodes[error])
})

test('a setting that is named twice is not changed', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t')
  await using client = await WireClient.connect(server.port)
  const twice = of(topic, 't', ['retention.ms', set, '1'], ['retention.ms', set, '2'])
  const { responses } = await client.call(incrementalAlterConfigs, 1, {
    ...{ resources: [twice], validateOnly: false },
  })
  expect(responses[0]?.errorCode).toBe(errorCodes.INVALID_REQUEST)
})

test('changes made at the same time all count', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t')
  const names = ['retention.ms', 'segment.ms', 'min.insync.replicas', 'local.retention.ms']
  await Promise.all(
    names.map(async (name) => {
      await using client = await WireClient.connect(server.port)
      const resources = [of(topic, 't', [name, set, '77'])]
      await client.call(incrementalAlterConfigs, 1, { resources, validateOnly: false })
    }),
  )
  expect((await server.varve.describeTopic('t')).settings).toMatchObject({
    ...{ retentionMs: 77, segmentMs: 77 },
    kafkaSettings: { 'min.insync.replicas': '77', 'local.retention.ms': '77' },
  })
})

test('settings of the broker hold for topics, and are kept', async () => {
  const fs = new SimulatedFileSystem()
  for (const life of [1, 2]) {
    await using server = await startTestServer({}, fs)
    await using client = await WireClient.connect(server.port)
    if (life === 1) {
      await server.varve.createTopic('t')
      const resources = [
        of(broker, '', ['log.retention.ms', set, '5']),
        of(broker, '1', ['log.segment.bytes', set, '1000'], ['num.partitions', set, '5']),
        of(broker, '9', ['log.retention.ms', set, '5']),
      ]
      const { responses } = await client.call(incrementalAlterConfigs, 1, {
        ...{ resources, validateOnly: false },
      })
      expect(responses.map(({ errorCode }) => errorCode)).toEqual([
        errorCodes.NONE,
        errorCodes.INVALID_REQUEST,
        errorCodes.INVALID_REQUEST,
      ])
    }
    const { settings } = await server.varve.describeTopic('t')
    expect(settings).toMatchObject({ retentionMs: 5, segmentBytes: 2 ** 30 })
  }
})

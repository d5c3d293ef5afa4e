import { expect, test } from 'vitest'
import { resourceTypes } from '../../src/administration/config-entry.ts'
import { alterConfigs } from '../../src/protocol/apis/alter-configs.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

const { topic, broker, clientMetrics } = resourceTypes

function of(resourceType: number, resourceName: string, configs: Record<string, string | null>) {
  const list = Object.entries(configs).map(([name, value]) => ({ name, value }))
  return { resourceType, resourceName, configs: list }
}

test('all settings of a topic are replaced, unless it is only asked whether they could be', async () => {
  await using server = await startTestServer()
  const kafkaSettings = { 'min.insync.replicas': '2' }
  await server.varve.createTopic('t', { segmentMs: 5, retentionMs: 6, kafkaSettings })
  await using client = await WireClient.connect(server.port)
  const resources = [of(topic, 't', { 'retention.ms': '7', 'cleanup.policy': 'compact' })]
  for (const validateOnly of [true, false]) {
    const { responses } = await client.call(alterConfigs, 2, { resources, validateOnly })
    expect(responses).toMatchObject([{ errorCode: 0, resourceType: 2, resourceName: 't' }])
    const { settings } = await server.varve.describeTopic('t')
    expect(settings).toMatchObject(
      validateOnly
        ? { retentionMs: 6, segmentMs: 5, cleanupPolicy: ['delete'], kafkaSettings }
        : { retentionMs: 7, segmentMs: 604_800_000, cleanupPolicy: ['compact'], kafkaSettings: {} },
    )
  }
})

test('what cannot be changed is told by itself, and changes nothing', async () => {
  await using server = await startTestServer()
  for (const name of ['t', 'u', 'twice']) await server.varve.createTopic(name, { segmentMs: 5 })
  await using client = await WireClient.connect(server.port)
  const resources = [
    of(topic, 't', { 'retention.ms': null }),
    of(topic, 'nope', {}),
    of(topic, 'a b', {}),
    of(topic, 'u', { 'retention.ms': '5', nonsense: '1' }),
    of(clientMetrics, 'm', {}),
    of(broker, '9', {}),
    of(topic, 'twice', {}),
    of(topic, 'twice', {}),
  ]
  const { responses } = await client.call(alterConfigs, 0, { resources, validateOnly: false })
  expect(responses.map(({ errorCode }) => errorCode)).toEqual([
    errorCodes.INVALID_REQUEST,
    errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
    errorCodes.INVALID_TOPIC_EXCEPTION,
    errorCodes.INVALID_CONFIG,
    ...[errorCodes.INVALID_REQUEST, errorCodes.INVALID_REQUEST],
    ...[errorCodes.INVALID_REQUEST, errorCodes.INVALID_REQUEST],
  ])
  for (const name of ['t', 'u', 'twice']) {
    expect((await server.varve.describeTopic(name)).settings.segmentMs).toBe(5)
  }
})

import { expect, test } from 'vitest'
import { resourceTypes } from '../../src/administration/config-entry.ts'
import { describeConfigs } from '../../src/protocol/apis/describe-configs.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

const { topic, broker, brokerLogger } = resourceTypes

function of(resourceType: number, resourceName: string, configurationKeys: string[] | null = null) {
  return { resourceType, resourceName, configurationKeys }
}

test('a topic’s settings have values, sources, synonyms, types and documentation', async () => {
  const directoryOptions = { topicDefaults: { segmentBytes: 5_000_000 } }
  await using server = await startTestServer({ directoryOptions })
  await server.varve.createTopic('t', {
    retentionMs: 5,
    kafkaSettings: { 'min.insync.replicas': '2', 'message.format.version': '2.8' },
  })
  await using client = await WireClient.connect(server.port)
  const { results } = await client.call(describeConfigs, 4, {
    resources: [of(topic, 't')],
    includeSynonyms: true,
    includeDocumentation: true,
  })
  expect(results[0]).toMatchObject({ errorCode: 0, resourceType: topic, resourceName: 't' })
  const told = new Map(results[0]?.configs.map((config) => [config.name, config]))
  expect(told.get('retention.ms')).toMatchObject({
    ...{ value: '5', configSource: 1, readOnly: false, isSensitive: false, configType: 5 },
    synonyms: [
      { name: 'retention.ms', value: '5', source: 1 },
      { name: 'log.retention.ms', value: '604800000', source: 5 },
    ],
  })
  expect(told.get('segment.bytes')).toMatchObject({
    ...{ value: '5000000', configSource: 4, configType: 3 },
    synonyms: [
      { name: 'log.segment.bytes', value: '5000000', source: 4 },
      { name: 'log.segment.bytes', value: '1073741824', source: 5 },
    ],
  })
  expect(told.get('min.insync.replicas')).toMatchObject({ value: '2', configSource: 1 })
  expect(told.get('message.format.version')).toMatchObject({ value: '2.8', configSource: 1 })
  expect(told.has('message.downconversion.enable')).toBe(false)
  const unlimited = ['flush.messages', 'flush.ms', 'max.compaction.lag.ms']
  for (const name of [...unlimited, 'message.timestamp.before.max.ms']) {
    expect(told.get(name)).toMatchObject({ value: '9223372036854775807', configSource: 5 })
  }
  for (const config of told.values()) expect(config.documentation).toMatch(/^[A-Z].*\.$/)
})

test('only what is asked for is told, with names and without', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t')
  await using client = await WireClient.connect(server.port)
  const keys = ['retention.ms', 'nonsense', 'segment.bytes']
  const resources = [of(topic, 't', keys), of(topic, 't', [])]
  const { results } = await client.call(describeConfigs, 3, { resources })
  expect(results[0]?.configs.map(({ name }) => name).sort()).toEqual([
    'retention.ms',
    'segment.bytes',
  ])
  expect(results[0]?.configs[0]).toMatchObject({ synonyms: [], documentation: null })
  const old = await client.call(describeConfigs, 0, { resources: [of(topic, 't', keys)] })
  expect(old.results[0]?.configs[0]).toMatchObject({ name: 'retention.ms', isDefault: true })
})

test('the broker’s settings are told, those of topics among them', async () => {
  await using server = await startTestServer({ nodeId: 3, numPartitions: 6 })
  await using client = await WireClient.connect(server.port)
  const { results } = await client.call(describeConfigs, 4, {
    resources: [of(broker, '3'), of(broker, '')],
    includeSynonyms: true,
  })
  const told = new Map(results[0]?.configs.map((config) => [config.name, config]))
  expect(told.get('num.partitions')).toMatchObject({
    ...{ value: '6', readOnly: true, configSource: 4 },
    synonyms: [
      { value: '6', source: 4 },
      { value: '1', source: 5 },
    ],
  })
  expect(told.get('node.id')).toMatchObject({ value: '3', readOnly: true })
  expect(told.get('log.retention.ms')).toMatchObject({ value: '604800000', readOnly: false })
  expect(told.get('log.dirs')?.value).toBe('/data')
  expect(results[1]).toMatchObject({ errorCode: 0, configs: [] })
})

test('what is not there has Kafka’s error, and spoils nothing else', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t')
  await using client = await WireClient.connect(server.port)
  const { results } = await client.call(describeConfigs, 4, {
    resources: [
      ...[of(topic, 'nope'), of(topic, 'a b'), of(broker, '7'), of(broker, 'x')],
      ...[of(brokerLogger, '7'), of(99, ''), of(topic, 't'), of(brokerLogger, '1')],
      ...[of(32, 'a group'), of(32, ''), of(16, 'metrics')],
    ],
  })
  expect(results.map(({ errorCode }) => errorCode)).toEqual([
    errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
    errorCodes.INVALID_TOPIC_EXCEPTION,
    ...[errorCodes.INVALID_REQUEST, errorCodes.INVALID_REQUEST],
    ...[errorCodes.INVALID_REQUEST, errorCodes.INVALID_REQUEST],
    ...[errorCodes.NONE, errorCodes.NONE, errorCodes.NONE],
    ...[errorCodes.INVALID_REQUEST, errorCodes.NONE],
  ])
})

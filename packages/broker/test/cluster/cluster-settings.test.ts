import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { defaultTopicSettings, topicSettingNames } from '../../src/base/topic-settings.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import {
  clusterSettings,
  readTopicSettings,
  topicConfigChanges,
  topicConfigs,
} from '../../src/cluster/cluster-settings.ts'

test('settings have the names and forms that Kafka takes', () => {
  const settings = {
    cleanupPolicy: ['compact', 'delete'],
    minCleanableDirtyRatio: 0.1,
    messageTimestampType: 'LogAppendTime',
    preallocate: true,
    segmentIndexBytes: 4096,
    kafkaSettings: { 'min.insync.replicas': '2' },
  } as const
  expect(topicConfigs(settings)).toEqual([
    { name: 'cleanup.policy', value: 'compact,delete' },
    { name: 'min.cleanable.dirty.ratio', value: '0.1' },
    { name: 'message.timestamp.type', value: 'LogAppendTime' },
    { name: 'preallocate', value: 'true' },
    { name: 'segment.index.bytes', value: '4096' },
    { name: 'min.insync.replicas', value: '2' },
  ])
  expect(topicConfigChanges({ retentionMs: null, segmentMs: 5 })).toEqual([
    { name: 'segment.ms', value: '5' },
    { name: 'retention.ms', value: null },
  ])
})

test.each([{ recordTtlMs: 5 }, { holdForGroups: ['g'] }, { retentionMs: -2 }, { nonsense: 1 }])(
  '%o is refused',
  (settings) => {
    expect(() => topicConfigs(settings as object)).toThrow(InvalidArgumentError)
    expect(() => topicConfigChanges(settings as object)).toThrow(InvalidArgumentError)
  },
)

test('a setting that no topic has is not set back', () => {
  expect(() => topicConfigChanges({ kafkaSettings: null })).toThrow(InvalidArgumentError)
  expect(() => topicConfigChanges({ nonsense: null } as object)).toThrow(InvalidArgumentError)
})

test('what a cluster says is read, and what it does not say is the default', async () => {
  const values = {
    'cleanup.policy': 'compact',
    'flush.messages': '9223372036854775807',
    'max.message.bytes': '77',
    'compression.type': 'zstd',
    preallocate: 'true',
    'follower.replication.throttled.replicas': '',
  }
  const configs = Object.entries(values).map(([name, value]) => ({ name, value }))
  const cluster = {
    client: { describeConfigsV4: { api: { async: async () => ({ results: [{ configs }] }) } } },
    onAny: (ask: (connection: null) => unknown) => ask(null),
  } as unknown as Cluster
  const settings = await readTopicSettings(cluster, 'orders')
  expect(settings).toEqual({
    ...defaultTopicSettings,
    ...{ cleanupPolicy: ['compact'], flushMessages: -1, maxMessageBytes: 77 },
    ...{ compressionType: 'zstd', preallocate: true },
  })
  expect(Object.keys(settings).sort()).toEqual([...topicSettingNames].sort())
})

test('what any cluster takes is given to it, and nothing else', () => {
  const kafkaSettings = { 'min.insync.replicas': '2', 'message.format.version': '2.8' }
  expect(clusterSettings({ retentionMs: 5, recordTtlMs: 6, kafkaSettings })).toEqual({
    ...{ retentionMs: 5, kafkaSettings: { 'min.insync.replicas': '2' } },
  })
  const gone = { 'message.format.version': '2.8' }
  expect(clusterSettings({ kafkaSettings: gone })).toEqual({})
})

test('segments that are too small for some clusters get the size that all of them take', () => {
  const sizes = [1000, 2 ** 20 - 1, 2 ** 20, 2 ** 30]
  const given = sizes.map((segmentBytes) => clusterSettings({ segmentBytes }))
  expect(given.map((settings) => settings.segmentBytes)).toEqual([
    2 ** 20,
    2 ** 20,
    2 ** 20,
    2 ** 30,
  ])
})

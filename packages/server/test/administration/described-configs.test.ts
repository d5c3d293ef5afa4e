import { defaultTopicSettings } from '@varve/broker'
import { expect, test } from 'vitest'
import { inheritedConfigs } from '../../src/administration/broker-config-table.ts'
import type { BrokerSettings } from '../../src/administration/broker-settings.ts'
import {
  allBrokersEntries,
  brokerEntries,
  topicEntries,
} from '../../src/administration/described-configs.ts'
import { resolveServerOptions } from '../../src/base/server-options.ts'

const set: Readonly<Record<string, string>> = {
  'log.segment.bytes': '5',
  'min.insync.replicas': '2',
}

const broker = {
  started: {},
  names: () => Object.keys(set),
  valuesOf: (name: string) => {
    return name in set ? [{ name, value: set[name] ?? null, source: 3 }] : []
  },
} as unknown as BrokerSettings

test('what was set for all brokers goes before defaults, and after what a topic was given', () => {
  const own = { retentionMs: 1 }
  const settings = { ...defaultTopicSettings, ...own, segmentBytes: 5 }
  const entries = topicEntries({ isInternal: false, settings }, own, broker)
  const told = new Map(entries.map((entry) => [entry.name, entry]))
  expect(told.get('segment.bytes')).toMatchObject({ value: '5', source: 3 })
  expect(told.get('min.insync.replicas')).toMatchObject({ value: '2', source: 3 })
  expect(told.get('retention.ms')).toMatchObject({ value: '1', source: 1 })
  expect(told.get('leader.replication.throttled.replicas')?.synonyms).toEqual([])
  expect(told.size).toBe(entries.length)
})

test('an internal topic was given its policy', () => {
  const settings = { ...defaultTopicSettings, cleanupPolicy: ['compact'] as const }
  const entries = topicEntries({ isInternal: true, settings }, {}, broker)
  const policy = entries.find(({ name }) => name === 'cleanup.policy')
  expect(policy).toMatchObject({ value: 'compact', source: 1 })
})

test('a broker’s settings are each told once, and those of all brokers apart', () => {
  const options = resolveServerOptions({ nodeId: 7 })
  const parts = { topics: { directory: { path: '/data' }, find: () => null } }
  const entries = brokerEntries({ options, parts } as never, broker)
  const names = entries.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const name of inheritedConfigs.keys()) expect(names).toContain(name)
  expect(allBrokersEntries(broker).map(({ name, value }) => [name, value])).toEqual([
    ['log.segment.bytes', '5'],
    ['min.insync.replicas', '2'],
  ])
})

import { defaultTopicSettings } from '@varve/broker'
import { expect, test } from 'vitest'
import {
  alterationTo,
  type ConfigOperation,
  changedSettings,
  changedText,
  givenSettings,
  settingValue,
} from '../../src/administration/topic-changes.ts'
import { topicConfigs } from '../../src/administration/topic-config-table.ts'
import { RequestRefusedError } from '../../src/base/server-errors.ts'

const defaults = defaultTopicSettings

function operation(
  kind: ConfigOperation['operation'],
  name: string,
  value: string | null = null,
): ConfigOperation {
  return { name, operation: kind, value }
}

test('settings are set, and set back', () => {
  const own = { retentionMs: 5, segmentBytes: 100 }
  const changes = [
    operation('set', 'retention.ms', '6'),
    operation('delete', 'segment.bytes'),
    operation('set', 'flush.messages', '9223372036854775807'),
    operation('set', 'varve.hold.for.groups', 'a,b'),
  ]
  expect(changedSettings(own, changes, defaults)).toEqual({
    ...{ retentionMs: 6, flushMessages: -1, holdForGroups: ['a', 'b'] },
  })
  expect(own).toEqual({ retentionMs: 5, segmentBytes: 100 })
})

test('lists are appended to and subtracted from, beginning with the default', () => {
  const append = operation('append', 'cleanup.policy', 'compact,delete')
  expect(changedSettings({}, [append], defaults)).toEqual({ cleanupPolicy: ['delete', 'compact'] })
  const subtract = operation('subtract', 'cleanup.policy', 'delete')
  const both = { cleanupPolicy: ['delete', 'compact'] } as const
  expect(changedSettings(both, [subtract], defaults)).toEqual({ cleanupPolicy: ['compact'] })
  const none = operation('subtract', 'cleanup.policy', 'delete')
  expect(() => changedSettings({}, [none], defaults)).toThrow(RequestRefusedError)
  const throttle = operation('append', 'leader.replication.throttled.replicas', '0:1,1:1')
  expect(changedSettings({}, [throttle], defaults)).toEqual({
    kafkaSettings: { 'leader.replication.throttled.replicas': '0:1,1:1' },
  })
})

test('what has no effect is kept, and gone when it is set back', () => {
  const own = givenSettings([{ name: 'min.insync.replicas', value: '2' }], defaults)
  expect(own).toEqual({ kafkaSettings: { 'min.insync.replicas': '2' } })
  expect(changedSettings(own, [operation('delete', 'min.insync.replicas')], defaults)).toEqual({})
})

test('what is not there is deleted, and nothing else is done to it', () => {
  expect(changedSettings({}, [operation('delete', 'nonsense')], defaults)).toEqual({})
  for (const name of ['nonsense', '__proto__', 'constructor', 'kafkaSettings', 'retentionMs']) {
    const change = operation('set', name, '1')
    expect(() => changedSettings({}, [change], defaults)).toThrow(RequestRefusedError)
  }
})

test.each([
  operation('set', 'retention.ms'),
  operation('set', 'retention.ms', '-2'),
  operation('append', 'retention.ms', '1'),
  operation('set', 'min.insync.replicas', '0'),
  operation('set', 'compression.gzip.level', '10'),
  operation('set', 'compression.lz4.level', '18'),
  operation('set', 'local.retention.ms', '-3'),
  operation('set', 'unclean.leader.election.enable', 'maybe'),
  operation('set', 'message.timestamp.difference.max.ms', '-1'),
  operation('append', 'follower.replication.throttled.replicas', '*,0:1'),
])('%o is refused', (change) => {
  expect(() => changedSettings({}, [change], defaults)).toThrow(RequestRefusedError)
})

test('a refusal speaks of the setting by its name in Kafka', () => {
  const change = operation('set', 'segment.bytes', '5')
  expect(() => changedSettings({}, [change], defaults)).toThrow(
    /^invalid value 5 for configuration segment\.bytes: must be/,
  )
})

test('one set of settings is made out of another', () => {
  expect(alterationTo({ retentionMs: 5 }, { retentionMs: 4, segmentMs: 3 })).toEqual({
    ...{ retentionMs: 5, segmentMs: null },
  })
})

test('the default of every setting is what its text says', () => {
  for (const config of topicConfigs) {
    const { name, setting } = config
    if (setting === null) throw new Error(`${name} has no setting`)
    const usual = defaults[setting]
    const text = Array.isArray(usual) ? usual.join(',') : String(usual)
    expect([name, settingValue(config, name, text)]).toEqual([name, usual])
    expect(changedText(config, operation('set', name, text), '')).toBe(text)
  }
})

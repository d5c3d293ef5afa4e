import { resolveLogOptions } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'
import { describe, expect, test } from 'vitest'
import {
  checkTopicSettings,
  defaultTopicSettings,
  logOptionsOf,
  resolveTopicSettings,
  topicSettingNames,
} from '../../src/base/topic-settings.ts'

describe('the settings of a topic', () => {
  test('are the defaults where nothing is said, then those of the program, then their own', () => {
    expect(resolveTopicSettings({})).toEqual(defaultTopicSettings)
    const resolved = resolveTopicSettings(
      { retentionMs: 5, segmentMs: undefined as never },
      { retentionMs: 4, segmentMs: 3 },
    )
    expect(resolved).toMatchObject({ retentionMs: 5, segmentMs: 3, segmentBytes: 2 ** 30 })
  })

  test('have the defaults of Kafka', () => {
    expect(defaultTopicSettings).toMatchObject({
      cleanupPolicy: ['delete'],
      retentionMs: 604_800_000,
      deleteRetentionMs: 86_400_000,
      maxMessageBytes: 1_048_588,
      minCleanableDirtyRatio: 0.5,
      messageTimestampAfterMaxMs: 3_600_000,
    })
    expect(topicSettingNames).toHaveLength(26)
  })

  test('take one policy as well as a list', () => {
    expect(checkTopicSettings({ cleanupPolicy: 'compact' })).toEqual({ cleanupPolicy: ['compact'] })
    const both = checkTopicSettings({ cleanupPolicy: ['compact', 'delete'] })
    expect(both).toEqual({ cleanupPolicy: ['compact', 'delete'] })
  })

  test.each([
    ['cleanupPolicy', 'keep', 'must be delete, compact, or both'],
    ['cleanupPolicy', [], 'must be delete, compact, or both'],
    ['cleanupPolicy', ['delete', 'delete'], 'must be delete, compact, or both'],
    ['retentionMs', -2, 'must be -1 or an integer of at least 0'],
    ['retentionBytes', 1.5, 'must be -1 or an integer of at least 0'],
    ['segmentBytes', 60, 'must be an integer from 61 to 2147483647'],
    ['segmentMs', 0, 'must be an integer of at least 1'],
    ['minCleanableDirtyRatio', 1.1, 'must be a number from 0 to 1'],
    ['minCleanableDirtyRatio', Number.NaN, 'must be a number from 0 to 1'],
    ['compressionType', 'none', 'must be one of producer, uncompressed, gzip, snappy, lz4, zstd'],
    ['preallocate', 'yes', 'must be one of true, false'],
    ['holdForGroups', 'billing', 'must be an array of names'],
    ['holdForGroups', [''], 'must be an array of names'],
    ['kafkaSettings', ['a'], "by Kafka's names"],
    ['kafkaSettings', { 'min.insync.replicas': 2 }, "by Kafka's names"],
    ['kafkaSettings', { __proto__: null, 'A b': 'x' }, "by Kafka's names"],
    ['recordTtlMs', 0, 'must be -1 or an integer of at least 1'],
    ['retention.ms', 5, 'there is no such topic setting'],
    ['__proto__x', 5, 'there is no such topic setting'],
  ])('refuse %s: %j and say what is allowed', (name, value, rule) => {
    const check = () => checkTopicSettings({ [name]: value })
    expect(check).toThrow(InvalidArgumentError)
    expect(check).toThrow(rule)
  })

  test('refuse a minimal compaction lag above the maximal one', () => {
    expect(() => resolveTopicSettings({ minCompactionLagMs: 5, maxCompactionLagMs: 4 })).toThrow(
      'must not be more than maxCompactionLagMs, which is 4',
    )
    resolveTopicSettings({ minCompactionLagMs: 5, maxCompactionLagMs: 5 })
    resolveTopicSettings({ minCompactionLagMs: 5 })
  })

  test('become options of the logs, which accept all of them', () => {
    const options = resolveLogOptions(logOptionsOf(defaultTopicSettings))
    expect(options).toEqual(resolveLogOptions())
    const other = logOptionsOf(
      resolveTopicSettings({ compressionType: 'zstd', flushMs: 7, flushMessages: 3 }),
    )
    expect(other).toMatchObject({ compressionType: 'zstd', flushMs: 7, flushMessages: 3 })
  })
})

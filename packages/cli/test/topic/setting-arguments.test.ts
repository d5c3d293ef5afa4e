import { defaultTopicSettings, topicSettingNames } from '@varve/broker'
import { InvalidArgumentError } from '@varve/record'
import { describe, expect, test } from 'vitest'
import { kafkaName, parseConfigs, parseSettings } from '../../src/topic/setting-arguments.ts'

describe('settings on a command line', () => {
  test('have Kafka’s names, with dots or camel-cased', () => {
    const expected = { retentionMs: 5, minCleanableDirtyRatio: 0.25 }
    expect(parseSettings(['retention.ms=5', 'min.cleanable.dirty.ratio=0.25'])).toEqual(expected)
    expect(parseSettings(['retentionMs=5', 'minCleanableDirtyRatio=0.25'])).toEqual(expected)
    // What is kept of Kafka's own is an object, which nobody can type.
    for (const name of topicSettingNames.filter((each) => each !== 'kafkaSettings')) {
      const usual = String(defaultTopicSettings[name])
      expect(Object.keys(parseSettings([`${kafkaName(name)}=${usual}`]))).toEqual([name])
    }
  })

  test('have values of the kind that the setting has', () => {
    expect(
      parseSettings([
        'cleanup.policy=compact, delete',
        'preallocate=true',
        'retention.bytes=unlimited',
        'compression.type=lz4',
      ]),
    ).toEqual({
      cleanupPolicy: ['compact', 'delete'],
      preallocate: true,
      retentionBytes: -1,
      compressionType: 'lz4',
    })
  })

  test('go back to their defaults', () => {
    expect(parseSettings(['retention.ms=5'], ['segment.bytes'])).toEqual({
      retentionMs: 5,
      segmentBytes: null,
    })
  })

  test.each([
    [['retention.ms'], []],
    [['=5'], []],
    [['bogus=5'], []],
    [['__proto__=5'], []],
    [['retention.ms=5', 'retentionMs=6'], []],
    [['retention.ms=5'], ['retentionMs']],
    [[], ['bogus']],
  ])('%j, less %j, is refused', (set, unset) => {
    expect(() => parseSettings(set, unset)).toThrow(InvalidArgumentError)
  })
})

test.each([
  ['retention.ms=soon', 'must be -1 or an integer of at least 0'],
  ['retentionMs=1.5', 'must be -1 or an integer of at least 0'],
  ['cleanup.policy=shred', 'must be delete, compact, or both of them in an array'],
  ['preallocate=maybe', 'must be one of true, false'],
])('%s is told as it was typed', (argument, rule) => {
  const message = `--set is '${argument}': ${rule}`
  expect(() => parseSettings([argument])).toThrow(message)
  expect(() => parseConfigs([argument])).toThrow(message)
})

test('settings of a server are any, ours by either name, the others as they are', () => {
  expect(
    parseConfigs(['retentionMs=never', 'record.ttl.ms=5', 'a.b=c=d'], ['segmentMs', 'x']),
  ).toEqual([
    { name: 'retention.ms', value: '-1' },
    { name: 'segment.ms', value: null },
    { name: 'varve.record.ttl.ms', value: '5' },
    { name: 'a.b', value: 'c=d' },
    { name: 'x', value: null },
  ])
  expect(() => parseConfigs(['retentionMs=-7'])).toThrow(InvalidArgumentError)
  expect(() => parseConfigs(['recordTtlMs=-7'])).toThrow(InvalidArgumentError)
  expect(() => parseConfigs(['=7'])).toThrow(InvalidArgumentError)
})

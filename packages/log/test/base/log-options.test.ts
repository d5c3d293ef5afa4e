import { InvalidArgumentError } from '@varve/record'
import { describe, expect, test } from 'vitest'
import {
  defaultLogOptions,
  type LogOptions,
  resolveLogOptions,
} from '../../src/base/log-options.ts'

describe("a log's options", () => {
  test("have Kafka's defaults, but are durable", () => {
    expect(resolveLogOptions()).toEqual(defaultLogOptions)
    expect(defaultLogOptions).toMatchObject({
      acks: 'flushed',
      segmentBytes: 1_073_741_824,
      segmentMs: 604_800_000,
      segmentIndexBytes: 10_485_760,
      indexIntervalBytes: 4096,
      maxMessageBytes: 1_048_588,
      fileDeleteDelayMs: 60_000,
      producerIdExpirationMs: 86_400_000,
      messageTimestampType: 'CreateTime',
      preallocate: false,
    })
  })

  test('keep what is given, take undefined for absent, and do not change afterwards', () => {
    const given: LogOptions = { segmentBytes: 100, acks: 'none' }
    const resolved = resolveLogOptions({ ...given, ...({ segmentMs: undefined } as object) })
    expect(resolved).toEqual({ ...defaultLogOptions, ...given })
    expect(Object.isFrozen(resolved)).toBe(true)
    expect(Object.isFrozen(defaultLogOptions)).toBe(true)
  })

  test.each([
    ['acks', ['all', 1, null, '']],
    ['segmentBytes', [60, 2 ** 31, 1.5, '1000', Number.NaN, -1]],
    ['segmentMs', [0, -1, Number.POSITIVE_INFINITY]],
    ['segmentJitterMs', [-1]],
    ['segmentIndexBytes', [23, 2 ** 31]],
    ['indexIntervalBytes', [-1, 2 ** 31]],
    ['flushMessages', [0]],
    ['flushMs', [-1]],
    ['flushOn', ['main', true]],
    ['maxMessageBytes', [60, 2 ** 31]],
    ['messageTimestampType', ['createTime', 0]],
    ['compressionType', ['brotli', null]],
    ['preallocate', ['yes', 1]],
    ['fileDeleteDelayMs', [-1]],
    ['producerIdExpirationMs', [0]],
    ['leaderEpoch', [-1, 2 ** 31, null]],
    ['lingerMs', [-1, 60_001]],
    ['batchBytes', [-1]],
    ['queueBytesMax', [0]],
    ['whenQueueFull', ['drop']],
    ['onLostWrites', ['ignore']],
  ])('refuse values of %s that make no sense, naming it', (name, badValues) => {
    for (const value of badValues) {
      const resolve = (): unknown => resolveLogOptions({ [name]: value })
      expect(resolve).toThrow(InvalidArgumentError)
      expect(resolve).toThrow(name)
    }
  })

  test('refuse names that are not theirs, those of every object included', () => {
    for (const name of ['segmentbytes', 'retentionMs', 'toString', '__proto__x', 'constructor']) {
      expect(() => resolveLogOptions({ [name]: 1 })).toThrow(InvalidArgumentError)
    }
  })

  test('are all checked: every option has a bad value in this test', () => {
    expect(Object.keys(defaultLogOptions).length).toBe(21)
  })
})

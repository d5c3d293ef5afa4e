import { InvalidArgumentError } from '@varve/record'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  deletedDirectoryName,
  indexFileName,
  isValidTopicName,
  logFileName,
  parsePartitionDirectoryName,
  parseSegmentFileName,
  partitionDirectoryName,
  producerSnapshotFileName,
  segmentDigestFileName,
  segmentFileName,
  timeIndexFileName,
  transactionIndexFileName,
  validateTopicName,
} from '../../src/storage/file-names.ts'
import { seedFromEnvironment } from '../../src/testing/random.ts'

const seed = seedFromEnvironment('file names')

describe('segment file names', () => {
  test('have the base offset in 20 digits and the kind as extension', () => {
    expect(logFileName(0)).toBe('00000000000000000000.log')
    expect(indexFileName(42)).toBe('00000000000000000042.index')
    expect(timeIndexFileName(42)).toBe('00000000000000000042.timeindex')
    expect(transactionIndexFileName(42)).toBe('00000000000000000042.txnindex')
    expect(producerSnapshotFileName(42)).toBe('00000000000000000042.snapshot')
    expect(segmentDigestFileName(42)).toBe('00000000000000000042.digest')
    expect(logFileName(Number.MAX_SAFE_INTEGER)).toBe('00009007199254740991.log')
  })

  test('are refused for what is no offset', () => {
    for (const offset of [-1, 0.5, 2 ** 53, Number.NaN]) {
      expect(() => logFileName(offset)).toThrow(InvalidArgumentError)
    }
  })

  test('parse back to what they were made of', () => {
    const kinds = ['log', 'index', 'timeindex', 'txnindex', 'snapshot', 'digest'] as const
    const suffixes = ['', '.deleted', '.cleaned', '.swap', '.broken'] as const
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.constantFrom(...kinds),
        fc.constantFrom(...suffixes),
        (baseOffset, kind, suffix) => {
          const name = segmentFileName(baseOffset, kind, suffix)
          expect(parseSegmentFileName(name)).toEqual({ baseOffset, kind, suffix })
        },
      ),
      { seed },
    )
  })

  test.each([
    '0.log',
    '00000000000000000000.LOG',
    '00000000000000000000.log ',
    '00000000000000000000.log\n',
    ' 00000000000000000000.log',
    '-0000000000000000001.log',
    '+0000000000000000001.log',
    '0000000000000000001e.log',
    '000000000000000000000.log',
    '00009007199254740992.log',
    '99999999999999999999.log',
    '00000000000000000000.log.swap.deleted',
    '00000000000000000000.log.tmp',
    '00000000000000000000.',
    '00000000000000000000',
    '00000000000000000005-0000000001.checkpoint',
    '../00000000000000000000.log',
    'leader-epoch-checkpoint',
    '',
  ])('%j is not one', (name) => {
    expect(parseSegmentFileName(name)).toBeNull()
  })

  test('of any text parse to null or to a name that gives the same text', () => {
    const digits = fc.stringMatching(/^\d{19,21}$/)
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      digits.map((it) => `${it}.log`),
    )
    fc.assert(
      fc.property(text, (name) => {
        const parsed = parseSegmentFileName(name)
        if (parsed === null) return
        expect(segmentFileName(parsed.baseOffset, parsed.kind, parsed.suffix)).toBe(name)
      }),
      { seed },
    )
  })
})

describe('partition directory names', () => {
  test('of deleted ones fit a file name, however long the topic', () => {
    const uniqueId = '0123456789abcdef0123456789abcdef'
    const deleted = { state: 'delete', uniqueId }
    const short = deletedDirectoryName('a-b-12', uniqueId)
    expect(short).toBe(`a-b-12.${uniqueId}-delete`)
    const long = deletedDirectoryName(`${'x'.repeat(249)}-12`, uniqueId)
    expect(long).toHaveLength(255)
    expect(parsePartitionDirectoryName(long)).toMatchObject({ partition: 12, ...deleted })
  })

  test('split at the last hyphen', () => {
    const live = { state: 'live', uniqueId: null }
    const parsed = parsePartitionDirectoryName
    expect(parsed('orders-0')).toEqual({ topic: 'orders', partition: 0, ...live })
    expect(parsed('a-b-12')).toEqual({ topic: 'a-b', partition: 12, ...live })
    expect(parsed('a--3')).toEqual({ topic: 'a-', partition: 3, ...live })
    expect(parsed('__cluster_metadata-0')).toMatchObject({ topic: '__cluster_metadata' })
    expect(parsed('t-2147483647')).toMatchObject({ partition: 2147483647 })
    expect(parsed('x.y-delete-7')).toEqual({ topic: 'x.y-delete', partition: 7, ...live })
  })

  test.each(['delete', 'future', 'stray'] as const)(
    'say with -%s that they are set aside',
    (state) => {
      const uniqueId = '0123456789abcdef0123456789abcdef'
      expect(parsePartitionDirectoryName(`a.b-c-12.${uniqueId}-${state}`)).toEqual({
        topic: 'a.b-c',
        partition: 12,
        state,
        uniqueId,
      })
    },
  )

  test.each([
    'orders',
    'orders-',
    '-0',
    'orders-x',
    'orders--1x',
    'orders-01',
    'orders-+1',
    'orders-2147483648',
    'orders-99999999999999999999',
    'or ders-0',
    '.-0',
    '..-0',
    'a/b-0',
    '../x-0',
    'orders-0-delete',
    'orders-0.-delete',
    'orders.abc-delete',
    'orders-0.abc-deleted',
    `${'x'.repeat(250)}-0`,
    'orders-0\n',
    'remote-log-index-cache',
    '',
  ])('%j is not one', (name) => {
    expect(parsePartitionDirectoryName(name)).toBeNull()
  })

  test('parse back to what they were made of', () => {
    const topics = fc.stringMatching(/^[a-zA-Z0-9._-]{1,249}$/).filter(isValidTopicName)
    fc.assert(
      fc.property(topics, fc.nat(), (topic, partition) => {
        const parsed = parsePartitionDirectoryName(partitionDirectoryName(topic, partition))
        expect(parsed).toEqual({ topic, partition, state: 'live', uniqueId: null })
      }),
      { seed },
    )
  })

  test('take time in proportion to hostile names', () => {
    const started = performance.now()
    for (const part of ['-', '.', '-0', '-0.', 'a-delete', '0']) {
      expect(parsePartitionDirectoryName(part.repeat(20_000))).toBeNull()
    }
    expect(performance.now() - started).toBeLessThan(1000)
  })

  test('are refused for bad topics and partitions', () => {
    expect(() => partitionDirectoryName('a/b', 0)).toThrow(InvalidArgumentError)
    for (const partition of [-1, 0.5, 2 ** 31, Number.NaN]) {
      expect(() => partitionDirectoryName('a', partition)).toThrow(InvalidArgumentError)
    }
  })
})

describe('topic names', () => {
  test('are 1 to 249 of the characters that Kafka allows', () => {
    for (const topic of ['a', '...', '-', '_', '0', 'a.B_c-9', 'x'.repeat(249)]) {
      expect(isValidTopicName(topic)).toBe(true)
      expect(() => validateTopicName(topic)).not.toThrow()
    }
    for (const topic of ['', '.', '..', 'x'.repeat(250), 'a b', 'ä', 'a/b', 'a\\b', 'a\0', 'a\n']) {
      expect(isValidTopicName(topic)).toBe(false)
      expect(() => validateTopicName(topic)).toThrow(InvalidArgumentError)
    }
  })
})

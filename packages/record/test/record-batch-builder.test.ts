import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type BatchOptions,
  type CompressionType,
  InvalidArgumentError,
  incrementSequence,
  RecordBatch,
  RecordBatchBuilder,
  type RecordBatchBuilderOptions,
  type RecordInput,
  readBatchAt,
} from '../src/index.ts'
import { checkProperty } from './property.ts'
import { anyRecord, plainInput, plainRecord } from './record-samples.ts'

const now = 1_700_000_000_000

const options: fc.Arbitrary<BatchOptions> = fc.record(
  {
    compressionType: fc.constantFrom<CompressionType>('none', 'gzip', 'snappy', 'lz4', 'zstd'),
    timestampType: fc.constantFrom('CreateTime', 'LogAppendTime'),
    baseOffset: fc.oneof(fc.nat(1000), fc.constantFrom(2 ** 32 + 5, 2 ** 52)),
    leaderEpoch: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
    producerId: fc.oneof(fc.nat(1000), fc.constantFrom(-1, 2 ** 53 - 1)),
    producerEpoch: fc.integer({ min: -1, max: 2 ** 15 - 1 }),
    baseSequence: fc.oneof(fc.nat(1000), fc.constantFrom(-1, 2 ** 31 - 1, 2 ** 31 - 3)),
    isTransactional: fc.boolean(),
    isControl: fc.boolean(),
    deleteHorizon: fc.constantFrom(null, now + 604_800_000, 0),
  },
  { requiredKeys: [] },
)

describe('a built batch', () => {
  test('gives back its records and its header, for every codec and option', () => {
    const input = fc.tuple(fc.array(anyRecord, { minLength: 1, maxLength: 20 }), options)
    checkProperty(input, 300, ([records, batchOptions]) => {
      const builder = new RecordBatchBuilder({ ...batchOptions, defaultTimestamp: now })
      for (const record of records) builder.append(record)
      expect(builder.count).toBe(records.length)
      const batch = builder.build()
      batch.validate()
      expect(headerOf(batch)).toEqual(expectedHeader(records, batchOptions))
      expect([...batch.records()].map(plainRecord)).toEqual(expectedRecords(records, batchOptions))
    })
  })

  test('knows that it was built here; a copy of its bytes does not', () => {
    const batch = new RecordBatchBuilder().append({ value: 'a' }).build()
    expect(batch.isBuilt).toBe(true)
    expect(batch.isChecksumValid()).toBe(true)
    expect(new RecordBatch(batch.bytes).isBuilt).toBe(false)
    expect(readBatchAt(batch.bytes, 0, batch.sizeBytes, 0)).toMatchObject({ isBuilt: false })
  })

  test('says its size while it is built', () => {
    const builder = new RecordBatchBuilder()
    expect(builder.sizeBytes).toBe(61)
    builder.append({ value: 'm1', timestamp: 0 })
    expect(builder.sizeBytes).toBe(70)
    expect(builder.build().sizeBytes).toBe(70)
  })

  test('is byte for byte the one a Kafka broker wrote', () => {
    const batch = new RecordBatchBuilder({
      leaderEpoch: 0,
      producerId: 0,
      producerEpoch: 0,
      baseSequence: 0,
    })
      .append({ value: 'm1', timestamp: 0x191b23a23db })
      .append({ value: 'm2', timestamp: 0x191b23a25f8 })
      .build()
    expect(batch.bytes.toString('hex')).toBe(
      '0000000000000000' +
        '00000044' +
        '00000000' +
        '02' +
        '591ef58f' +
        '0000' +
        '00000001' +
        '00000191b23a23db' +
        '00000191b23a25f8' +
        '0000000000000000' +
        '0000' +
        '00000000' +
        '00000002' +
        '10000000' +
        '01046d3100' +
        '1200ba0802' +
        '01046d3200',
    )
  })

  test('may leave offsets out', () => {
    const batch = new RecordBatchBuilder({ baseOffset: 100, baseSequence: 7 })
      .append({ value: 'a' }, 3)
      .append({ value: 'b' }, 10)
      .build({ lastOffsetDelta: 20, maxTimestamp: 99 })
    expect([...batch.records()].map(({ offset, sequence }) => [offset, sequence])).toEqual([
      [103, 10],
      [110, 17],
    ])
    expect(batch).toMatchObject({ lastOffset: 120, nextOffset: 121, count: 2, maxTimestamp: 99 })
    expect(batch.lastSequence).toBe(27)
  })

  test('with a delete horizon has the same record timestamps as without', () => {
    const records = [now, now - 5, now + 604_718_036, 0].map((timestamp) => ({
      value: 'v',
      timestamp,
    }))
    for (const deleteHorizon of [null, now + 1_000_000_000]) {
      const builder = new RecordBatchBuilder({ deleteHorizon })
      for (const record of records) builder.append(record)
      const batch = builder.build()
      expect([...batch.records()].map(({ timestamp }) => timestamp)).toEqual(
        records.map(({ timestamp }) => timestamp),
      )
      expect(batch.deleteHorizon).toBe(deleteHorizon)
      expect(batch.maxTimestamp).toBe(now + 604_718_036)
    }
  })
})

describe('a builder refuses', () => {
  const refused: readonly [string, RecordInput][] = [
    ['a key that is neither bytes nor text', { key: 17 as unknown as string }],
    ['a value that is neither bytes nor text', { value: {} as unknown as string }],
    ['a timestamp that is not an integer', { timestamp: 1.5 }],
    ['a timestamp that is not a number', { timestamp: Number.NaN }],
    ['a timestamp below -1', { timestamp: -2 }],
    ['a timestamp beyond 2^53', { timestamp: 2 ** 53 }],
    ['a timestamp too far from the others', { timestamp: 2 ** 53 - 1 }],
    ['headers that are no list', { headers: 'a' as unknown as [] }],
    ['a header that is none', { headers: [null as unknown as { key: string; value: null }] }],
    [
      'a header key that is not text',
      { headers: [{ key: null as unknown as string, value: null }] },
    ],
    [
      'a header value that is neither bytes nor text',
      { headers: [{ key: 'k', value: 1 as unknown as string }] },
    ],
  ]

  test.each(refused)('%s, and adds nothing', (_, record) => {
    const builder = new RecordBatchBuilder().append({ value: 'before', timestamp: -1 })
    const size = builder.sizeBytes
    expect(() => builder.append(record)).toThrow(InvalidArgumentError)
    expect([builder.count, builder.sizeBytes]).toEqual([1, size])
    const batch = builder.append({ value: 'after' }).build()
    batch.validate()
    expect([...batch.records()].map(({ value }) => String(value))).toEqual(['before', 'after'])
  })

  test.each([0, -1, 1.5, 2 ** 31, Number.NaN])('the offset delta %s behind 0', (offsetDelta) => {
    const builder = new RecordBatchBuilder().append({ value: 'first' })
    expect(() => builder.append({ value: 'second' }, offsetDelta)).toThrow(/offsetDelta/)
    expect(builder.count).toBe(1)
  })

  const wrongOptions: readonly [keyof BatchOptions, unknown][] = [
    ['baseOffset', -1],
    ['baseOffset', 2 ** 53],
    ['leaderEpoch', -2],
    ['leaderEpoch', 2 ** 31],
    ['producerId', 2 ** 53],
    ['producerId', 0.5],
    ['producerEpoch', 2 ** 15],
    ['baseSequence', 2 ** 31],
    ['compressionType', 'brotli'],
    ['timestampType', 'NoTimestampType'],
    ['deleteHorizon', -1],
  ]

  test.each(wrongOptions)('the option %s of %s', (name, value) => {
    const wrong: RecordBatchBuilderOptions = { [name]: value }
    expect(() => new RecordBatchBuilder(wrong)).toThrow(new RegExp(name))
  })

  test.each([
    [{ lastOffsetDelta: 0 }],
    [{ lastOffsetDelta: 2 ** 31 }],
    [{ maxTimestamp: -2 }],
    [{ maxTimestamp: 0.5 }],
  ])('to build with %o', (overrides) => {
    const builder = new RecordBatchBuilder().append({ value: 'a' }).append({ value: 'b' })
    expect(() => builder.build(overrides)).toThrow(InvalidArgumentError)
    expect(builder.build().count).toBe(2)
  })

  test('to build a batch without records that does not know its last offset', () => {
    expect(() => new RecordBatchBuilder().build()).toThrow(/lastOffsetDelta/)
    const empty = new RecordBatchBuilder({ compressionType: 'gzip', deleteHorizon: 5 })
    const batch = empty.build({ lastOffsetDelta: 4 })
    expect(batch).toMatchObject({
      count: 0,
      sizeBytes: 61,
      compressionType: 'none',
      deleteHorizon: null,
    })
    expect([...batch.records()]).toEqual([])
  })
})

function headerOf(batch: RecordBatch): Record<string, unknown> {
  const { bytes: _, ...rest } = { ...batch }
  return {
    ...rest,
    ...pick(batch, [
      'magic',
      'baseOffset',
      'lastOffset',
      'nextOffset',
      'count',
      'leaderEpoch',
      'compressionType',
      'timestampType',
      'maxTimestamp',
      'producerId',
      'producerEpoch',
      'baseSequence',
      'lastSequence',
      'isTransactional',
      'isControl',
      'deleteHorizon',
    ]),
  }
}

function pick(batch: RecordBatch, names: readonly (keyof RecordBatch)[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, batch[name]]))
}

function expectedHeader(
  records: readonly RecordInput[],
  batch: BatchOptions,
): Record<string, unknown> {
  const baseOffset = batch.baseOffset ?? 0
  const baseSequence = batch.baseSequence ?? -1
  const lastOffset = baseOffset + records.length - 1
  return {
    position: 0,
    magic: 2,
    baseOffset,
    lastOffset,
    nextOffset: lastOffset + 1,
    count: records.length,
    leaderEpoch: batch.leaderEpoch ?? -1,
    compressionType: batch.compressionType ?? 'none',
    timestampType: batch.timestampType ?? 'CreateTime',
    maxTimestamp: maxTimestampOf(records),
    producerId: batch.producerId ?? -1,
    producerEpoch: batch.producerEpoch ?? -1,
    baseSequence,
    lastSequence: baseSequence < 0 ? -1 : incrementSequence(baseSequence, records.length - 1),
    isTransactional: batch.isTransactional ?? false,
    isControl: batch.isControl ?? false,
    deleteHorizon: batch.deleteHorizon ?? null,
  }
}

function maxTimestampOf(records: readonly RecordInput[]): number {
  return Math.max(...records.map(({ timestamp }) => timestamp ?? now))
}

function expectedRecords(records: readonly RecordInput[], batch: BatchOptions): unknown[] {
  const isAppendTime = batch.timestampType === 'LogAppendTime'
  const baseSequence = batch.baseSequence ?? -1
  return records.map((record, index) => {
    return plainInput(record, {
      offset: (batch.baseOffset ?? 0) + index,
      timestamp: isAppendTime ? maxTimestampOf(records) : (record.timestamp ?? now),
      sequence: baseSequence < 0 ? -1 : incrementSequence(baseSequence, index),
    })
  })
}

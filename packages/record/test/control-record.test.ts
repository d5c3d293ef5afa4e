import { describe, expect, test } from 'vitest'
import {
  CorruptBatchError,
  controlTypeOf,
  endTransactionMarkerBatch,
  InvalidArgumentError,
  type LogRecord,
  RecordBatchBuilder,
  readEndTransactionMarker,
} from '../src/index.ts'

const commitKey = Buffer.from('00000001', 'hex')

describe('the marker of an ended transaction', () => {
  test.each([
    ['abort', '00000000'],
    ['commit', '00000001'],
  ] as const)('of type %s has the bytes that Kafka writes', (type, key) => {
    const batch = endTransactionMarkerBatch({
      type,
      producerId: 1000,
      producerEpoch: 3,
      coordinatorEpoch: 9,
      timestamp: 1_700_000_000_000,
      baseOffset: 77,
      leaderEpoch: 5,
    })
    batch.validate()
    expect(batch).toMatchObject({
      sizeBytes: 78,
      count: 1,
      baseOffset: 77,
      lastOffset: 77,
      leaderEpoch: 5,
      producerId: 1000,
      producerEpoch: 3,
      baseSequence: -1,
      isControl: true,
      isTransactional: true,
      compressionType: 'none',
      maxTimestamp: 1_700_000_000_000,
    })
    expect(batch.bytes.readInt16BE(21)).toBe(0x30)
    const [record] = batch.records()
    expect(record?.key?.toString('hex')).toBe(key)
    expect(record?.value?.toString('hex')).toBe('000000000009')
    expect(readEndTransactionMarker(record as LogRecord)).toEqual({ type, coordinatorEpoch: 9 })
  })

  test('of a later version is read as far as it is known', () => {
    const record = controlRecord(commitKey, Buffer.from('0005' + '00000007' + 'beef', 'hex'))
    expect(readEndTransactionMarker(record)).toEqual({ type: 'commit', coordinatorEpoch: 7 })
  })

  test.each(['', '00', '0000', '0000000000', 'ffff00000001'])(
    'of value 0x%s is corrupt',
    (value) => {
      const record = controlRecord(commitKey, Buffer.from(value, 'hex'))
      expect(() => readEndTransactionMarker(record)).toThrow(CorruptBatchError)
    },
  )

  test('without a value is corrupt', () => {
    expect(() => readEndTransactionMarker(controlRecord(commitKey, null))).toThrow(
      CorruptBatchError,
    )
  })

  test('is not what another control record is', () => {
    const leaderChange = controlRecord(Buffer.from('00000002', 'hex'), Buffer.alloc(6))
    expect(() => readEndTransactionMarker(leaderChange)).toThrow(/does not end a transaction/)
  })

  test('cannot be made with a producer id out of range', () => {
    const options = { type: 'commit', producerEpoch: 0, coordinatorEpoch: 0, timestamp: 0 } as const
    expect(() => endTransactionMarkerBatch({ ...options, producerId: -2 })).toThrow(
      InvalidArgumentError,
    )
  })

  test('cannot be made with a type or coordinator epoch that there is not', () => {
    const options = { producerId: 1, producerEpoch: 0, timestamp: 0 } as const
    const unknown = { ...options, type: 'leaderChange' as 'commit', coordinatorEpoch: 0 }
    expect(() => endTransactionMarkerBatch(unknown)).toThrow(/type/)
    const huge = { ...options, type: 'commit' as const, coordinatorEpoch: 2 ** 31 }
    expect(() => endTransactionMarkerBatch(huge)).toThrow(/coordinatorEpoch/)
  })
})

describe('the type of a control record', () => {
  test.each([
    ['00000000', 'abort'],
    ['00000001', 'commit'],
    ['00000002', 'leaderChange'],
    ['00000003', 'snapshotHeader'],
    ['00000004', 'snapshotFooter'],
    ['00000005', 'kraftVersion'],
    ['00000006', 'kraftVoters'],
    ['00000007', 'unknown'],
    ['0000ffff', 'unknown'],
    ['00010001' + 'aabb', 'commit'],
  ] as const)('of key 0x%s is %s', (key, type) => {
    expect(controlTypeOf(controlRecord(Buffer.from(key, 'hex'), null))).toBe(type)
  })

  test.each(['', '000000', 'ffff0001'])('of key 0x%s is corrupt', (key) => {
    expect(() => controlTypeOf(controlRecord(Buffer.from(key, 'hex'), null))).toThrow(
      CorruptBatchError,
    )
  })

  test('without a key is corrupt', () => {
    expect(() => controlTypeOf(controlRecord(null, null))).toThrow(CorruptBatchError)
  })
})

function controlRecord(key: Buffer | null, value: Buffer | null): LogRecord {
  const [record] = new RecordBatchBuilder({ isControl: true })
    .append({ key, value })
    .build()
    .records()
  if (record === undefined) throw new Error('one record was appended')
  return record
}

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CorruptBatchError, type LogRecord, RecordBatch, RecordBatchBuilder } from '../src/index.ts'
import { RecordSource } from '../src/log-record.ts'
import { RecordList } from '../src/record-list.ts'
import { checkProperty } from './property.ts'
import { plainRecord } from './record-samples.ts'

/** Fields of a record, each as hex, that make: key "k", value "v", header "h" = "w". */
const right = {
  attributes: '00',
  timestampDelta: '00',
  offsetDelta: '00',
  keySize: '02',
  key: '6b',
  valueSize: '02',
  value: '76',
  headerCount: '02',
  headerKeySize: '02',
  headerKey: '68',
  headerValueSize: '02',
  headerValue: '77',
}

describe('a record', () => {
  test('is decoded field by field', () => {
    const [record] = readRecords(encode({}))
    expect(record).toMatchObject({
      keySize: 1,
      valueSize: 1,
      offset: 1000,
      timestamp: 5,
      sequence: 3,
    })
    expect(String(record?.key)).toBe('k')
    expect(String(record?.value)).toBe('v')
    expect(record?.headers.map(({ key, value }) => [key, String(value)])).toEqual([['h', 'w']])
  })

  test('tells null from empty', () => {
    const nulls = encode({
      keySize: '01',
      key: '',
      valueSize: '01',
      value: '',
      headerValueSize: '01',
      headerValue: '',
    })
    const [record] = readRecords(nulls)
    expect([record?.key, record?.value, record?.headers[0]?.value]).toEqual([null, null, null])
    expect([record?.keySize, record?.valueSize]).toEqual([-1, -1])
    const empties = encode({
      keySize: '00',
      key: '',
      valueSize: '00',
      value: '',
      headerKeySize: '00',
      headerKey: '',
      headerValueSize: '00',
      headerValue: '',
    })
    const [empty] = readRecords(empties)
    expect([empty?.key?.length, empty?.value?.length, empty?.headers[0]?.value?.length]).toEqual([
      0, 0, 0,
    ])
    expect(empty?.headers[0]?.key).toBe('')
  })

  test('has its attributes ignored, as they are unused', () => {
    expect(readRecords(encode({ attributes: 'ff' }))).toHaveLength(1)
  })

  test.each([
    ['a key size below -1', { keySize: '03' }],
    ['a key size beyond its end', { keySize: '64' }],
    ['a value size below -1', { valueSize: '03' }],
    ['a value size beyond its end', { valueSize: '64' }],
    ['a negative number of headers', { headerCount: '01' }],
    ['a huge number of headers', { headerCount: 'feffffff0f' }],
    ['more headers than it has', { headerCount: '04' }],
    ['fewer headers than it has', { headerCount: '00' }],
    ['a header key that is null', { headerKeySize: '01', headerKey: '' }],
    ['a header key size beyond its end', { headerKeySize: '64' }],
    ['a header value size below -1', { headerValueSize: '03' }],
    ['a header value size beyond its end', { headerValueSize: '64' }],
    ['an over-long key size', { keySize: '828080808000' }],
    ['an over-long timestamp', { timestampDelta: '8080808080808080808000' }],
    ['a timestamp beyond 2^53', { timestampDelta: 'feffffffffffffffff01' }],
    ['an offset below that of the batch', { offsetDelta: '01' }],
    ['an offset above that of the batch', { offsetDelta: 'c801' }],
    ['a byte too many', { headerValue: '7777' }],
  ])('with %s is corrupt', (_, change) => {
    expect(() => readRecords(encode(change))).toThrow(CorruptBatchError)
    expect(() => readRecords(encode(change))).toThrow(/position 77: record 0/)
  })

  test('that is cut off anywhere is corrupt', () => {
    const whole = encode({})
    for (let size = 0; size < whole.length; size++) {
      expect(() => readRecords(whole.subarray(0, size))).toThrow(CorruptBatchError)
    }
  })

  test.each(['00', '01', '02', 'fe', '80', '8080808080'])('of length 0x%s is corrupt', (length) => {
    const body = encode({}).subarray(1)
    expect(() => readRecords(Buffer.concat([Buffer.from(length, 'hex'), body]))).toThrow(
      CorruptBatchError,
    )
  })

  test('may be followed by others with rising offsets only', () => {
    const first = encode({ offsetDelta: '04' })
    expect(readRecords(Buffer.concat([first, encode({ offsetDelta: '0a' })]), 2)).toHaveLength(2)
    for (const offsetDelta of ['04', '02']) {
      const bytes = Buffer.concat([first, encode({ offsetDelta })])
      expect(() => readRecords(bytes, 2)).toThrow(/record 1: its offset delta/)
    }
  })

  test('of a LogAppendTime batch may have any timestamp of its own', () => {
    const bytes = encode({ timestampDelta: 'feffffffffffffffff01' })
    expect(readRecords(bytes, 1, true)[0]?.timestamp).toBe(5)
    expect(() =>
      readRecords(encode({ timestampDelta: '8080808080808080808000' }), 1, true),
    ).toThrow(CorruptBatchError)
  })
})

test('a count of two thousand million over a few bytes is refused at the first missing record', () => {
  expect(() => readRecords(encode({}), 2 ** 31 - 1)).toThrow(/record 1/)
})

test('the sizes of a record are known without its key and value being made', () => {
  for (const compressionType of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const builder = new RecordBatchBuilder({ compressionType })
    for (let index = 0; index < 50; index++) {
      builder.append({
        key: 'k'.repeat(index),
        value: index % 3 === 0 ? null : 'v'.repeat(index * 7),
      })
    }
    for (const record of builder.build().records()) {
      expect(record.keySize).toBe(record.key?.length ?? -1)
      expect(record.valueSize).toBe(record.value?.length ?? -1)
    }
  }
})

describe('a record that is looked for by its offset', () => {
  const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

  test.each(codecs)('is the one that iterating gives: %s', (compressionType) => {
    const builder = new RecordBatchBuilder({ compressionType, baseOffset: 70 })
    for (let index = 0; index < 60; index++) {
      const headers = index % 4 === 0 ? [{ key: `h${index}`, value: null }] : []
      // Lengths of one, two and three bytes.
      const value = index % 5 === 0 ? null : 'v'.repeat(index % 7 === 0 ? 9000 : index * 3)
      builder.append({ key: `k${index}`, value, headers, timestamp: index % 2 === 0 ? 5 : 1e12 })
    }
    const records = builder.build().records()
    for (const record of records) {
      expect(plainRecord(records.find(record.offset) as LogRecord)).toEqual(plainRecord(record))
    }
    expect([records.find(69), records.find(130), records.find(1e15)]).toEqual([null, null, null])
  })

  test('is none where offsets are left out', () => {
    const deltas = [0, 2, 3, 40]
    const bytes = Buffer.concat(
      deltas.map((delta) => encode({ offsetDelta: (delta * 2).toString(16).padStart(2, '0') })),
    )
    const records = listOf(bytes, deltas.length)
    for (let delta = -1; delta <= 52; delta++) {
      const found = records.find(1000 + delta)
      expect(found?.offset ?? null).toBe(deltas.includes(delta) ? 1000 + delta : null)
    }
  })

  test('that is damaged, or lies behind damage, is told or not found', async () => {
    const bytes = Buffer.concat(['00', '02', '04'].map((offsetDelta) => encode({ offsetDelta })))
    const change = fc.tuple(fc.integer({ min: 0, max: bytes.length - 1 }), fc.nat({ max: 255 }))
    await checkProperty(change, 500, ([at, byte]) => {
      const changed = Buffer.from(bytes)
      changed[at] = byte
      const records = listOf(changed, 3)
      for (let offset = 1000; offset < 1003; offset++) {
        try {
          const found = records.find(offset)
          expect(found === null || found.offset === offset).toBe(true)
          void found?.detach().headers
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptBatchError)
        }
      }
    })
  })

  test('can have memory of its own', () => {
    const batch = new RecordBatchBuilder({ baseOffset: 9, producerId: 1, baseSequence: 4 })
    batch.append({ key: null, value: null, headers: [{ key: 'h', value: 'w' }], timestamp: 3 })
    batch.append({ key: 'k', value: 'v', timestamp: 4 })
    batch.append({ key: 'k', value: null, timestamp: 4 })
    const { bytes } = batch.build()
    const whole = new RecordBatch(bytes)
    const before = [...whole.records()].map(plainRecord)
    const own = [...whole.records()].map((record) => record.detach())
    bytes.fill(0)
    expect(own.map(plainRecord)).toEqual(before)
    expect(own.every((record) => record.bytes.length < 12)).toBe(true)
  })
})

test('keys and values are views of the batch, not copies', () => {
  const batch = new RecordBatchBuilder().append({ key: 'key', value: 'value' }).build()
  const [record] = batch.records()
  expect(record?.key?.buffer).toBe(batch.bytes.buffer)
  expect(record?.value?.buffer).toBe(batch.bytes.buffer)
})

function encode(change: Partial<typeof right>): Buffer {
  const body = Object.values({ ...right, ...change }).join('')
  const bytes = Buffer.from(body, 'hex')
  // All bodies here are short enough for a length of one byte.
  return Buffer.concat([Buffer.from([bytes.length * 2]), bytes])
}

function readRecords(bytes: Buffer, count = 1, ignoresTimestamps = false): LogRecord[] {
  return [...listOf(bytes, count, ignoresTimestamps)]
}

function listOf(bytes: Buffer, count: number, ignoresTimestamps = false): RecordList {
  const source = new RecordSource(bytes, 77, 1000, 5, 3)
  const layout = { start: 0, count, lastOffsetDelta: 50, ignoresTimestamps, reuseRecord: false }
  return new RecordList(source, layout)
}

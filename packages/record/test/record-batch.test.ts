import { describe, expect, test } from 'vitest'
import {
  type CompressionType,
  CorruptBatchError,
  type LogRecord,
  RecordBatch,
  RecordBatchBuilder,
  UnsupportedFormatError,
} from '../src/index.ts'

const now = 1_700_000_000_000
const codecs: readonly CompressionType[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

describe('a record batch', () => {
  test('fails its check when any byte under its checksum has changed', () => {
    const { bytes } = threeRecords('none')
    for (let at = 17; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at] = changed.readUInt8(at) ^ 0x40
      let error: unknown
      try {
        new RecordBatch(changed, 99).validate()
      } catch (caught) {
        error = caught
      }
      expect(error).toBeInstanceOf(CorruptBatchError)
      expect(error).toMatchObject({ position: 99 })
    }
  })

  test('is stamped with base offset and epoch without a new checksum', () => {
    const batch = threeRecords('lz4')
    const { crc } = batch
    batch.stamp(2 ** 40, 7)
    expect(batch).toMatchObject({
      baseOffset: 2 ** 40,
      lastOffset: 2 ** 40 + 2,
      leaderEpoch: 7,
      crc,
    })
    batch.validate()
    expect([...batch.records()].map(({ offset }) => offset)).toEqual([
      2 ** 40,
      2 ** 40 + 1,
      2 ** 40 + 2,
    ])
  })

  test('gets another sequence number, and a checksum that fits', () => {
    const batch = threeRecords('none')
    batch.stampSequence(2 ** 31 - 2)
    expect(batch).toMatchObject({ baseSequence: 2 ** 31 - 2, lastSequence: 0 })
    batch.validate()
    expect(() => batch.stampSequence(2 ** 31)).toThrow('a sequence is')
  })

  test('becomes the batch of another producer, with a checksum that fits', () => {
    const batch = threeRecords('zstd')
    batch.stampProducer(2 ** 40, 3, 17)
    expect(batch).toMatchObject({ producerId: 2 ** 40, producerEpoch: 3, baseSequence: 17 })
    batch.validate()
    expect([...batch.records()]).toHaveLength(3)
    expect(() => batch.stampProducer(-1, 0, 0)).toThrow('a producer id is')
  })

  test.each(codecs)(
    'compressed with %s takes the time of its append for all its records',
    (type) => {
      const batch = threeRecords(type)
      const { crc } = batch
      batch.stampLogAppendTime(now + 5000)
      expect(batch.crc).not.toBe(crc)
      batch.validate()
      expect(batch).toMatchObject({ timestampType: 'LogAppendTime', maxTimestamp: now + 5000 })
      expect([...batch.records()].map(({ timestamp }) => timestamp)).toEqual(
        Array.from({ length: 3 }, () => now + 5000),
      )
    },
  )

  test.each(codecs)(
    'compressed with %s is gone through with one object, as often as asked',
    (type) => {
      const own = [...threeRecords(type).records()]
      const records = threeRecords(type).records({ reuseRecord: true })
      for (let time = 0; time < 2; time++) {
        const met = new Set<unknown>()
        let index = 0
        for (const record of records) {
          const { offset, timestamp, keySize, valueSize } = own[index] as LogRecord
          expect(record).toMatchObject({ offset, timestamp, keySize, valueSize })
          expect(record.key).toEqual(own[index]?.key)
          expect(record.value).toEqual(own[index]?.value)
          expect(record.headers).toEqual(own[index]?.headers)
          const { bytes, keyAt, valueAt } = record
          if (keySize >= 0) expect(bytes.subarray(keyAt, keyAt + keySize)).toEqual(record.key)
          if (valueSize >= 0) {
            expect(bytes.subarray(valueAt, valueAt + valueSize)).toEqual(record.value)
          }
          met.add(record)
          index += 1
        }
        expect(index).toBe(3)
        expect(met.size).toBe(1)
      }
    },
  )

  test.each(codecs)('compressed with %s notices a count that disagrees with its bytes', (type) => {
    for (const count of [0, 1, 2, 4, 1000, 2 ** 31 - 1]) {
      const batch = threeRecords(type)
      batch.bytes.writeInt32BE(count, 57)
      batch.bytes.writeInt32BE(2 ** 31 - 1, 23)
      const read = () => [...batch.records()]
      expect(read).toThrow(CorruptBatchError)
    }
  })

  test('with a negative count is corrupt', () => {
    const batch = threeRecords('none')
    batch.bytes.writeInt32BE(-1, 57)
    expect(() => batch.records()).toThrow(/record count is -1/)
    resealed(batch)
    expect(() => batch.validate()).toThrow(/record count is -1/)
  })

  test.each([5, 6, 7])('of codec %i is unsupported, not corrupt', (id) => {
    const batch = threeRecords('none')
    batch.bytes.writeInt16BE(id, 21)
    resealed(batch)
    expect(() => batch.validate()).toThrow(UnsupportedFormatError)
    expect(() => batch.records()).toThrow(UnsupportedFormatError)
    expect(() => batch.compressionType).toThrow(UnsupportedFormatError)
  })

  test.each([
    ['base offset', 0, -1n],
    ['base offset', 0, 2n ** 53n],
    ['next offset', 0, 2n ** 53n - 2n],
    ['base timestamp', 27, 2n ** 53n],
    ['base timestamp', 27, -(2n ** 60n)],
    ['max timestamp', 35, 2n ** 63n - 1n],
    ['producer id', 43, 2n ** 53n],
    ['producer id', 43, -2n],
  ])('with an impossible %s is refused by that name', (field, at, value) => {
    const { bytes } = threeRecords('none')
    bytes.writeBigInt64BE(value, at)
    expect(() => new RecordBatch(bytes)).toThrow(CorruptBatchError)
    expect(() => new RecordBatch(bytes)).toThrow(field)
  })

  test('with a negative last offset delta is refused', () => {
    const { bytes } = threeRecords('none')
    bytes.writeInt32BE(-1, 23)
    expect(() => new RecordBatch(bytes)).toThrow(/last offset delta/)
  })

  test('that is too short, of another size than it says, or another magic, is refused', () => {
    const { bytes } = threeRecords('none')
    expect(() => new RecordBatch(bytes.subarray(0, 60))).toThrow(/too few/)
    expect(() => new RecordBatch(bytes.subarray(0, 61))).toThrow(/size field/)
    bytes[16] = 1
    expect(() => new RecordBatch(bytes)).toThrow(/magic is 1/)
  })

  test('of a sloppy client, with epoch and sequence but no producer id, is read', () => {
    const batch = new RecordBatchBuilder({ producerId: -1, producerEpoch: 0, baseSequence: 0 })
      .append({ value: 'v' })
      .build()
    batch.validate()
    expect(batch).toMatchObject({ producerId: -1, producerEpoch: 0, baseSequence: 0 })
    expect([...batch.records()]).toHaveLength(1)
  })

  test('can be iterated over more than once', () => {
    const records = threeRecords('gzip').records()
    expect([...records]).toHaveLength(3)
    expect([...records].map(({ key }) => String(key))).toEqual(['k0', 'k1', 'k2'])
  })

  test('limits what it decompresses to', () => {
    const batch = new RecordBatchBuilder({ compressionType: 'zstd' })
      .append({ value: Buffer.alloc(100_000) })
      .build()
    expect(() => batch.records({ maxDecompressedBytes: 50_000 })).toThrow(/limit of 50000/)
    expect([...batch.records({ maxDecompressedBytes: 110_000 })]).toHaveLength(1)
  })
})

function threeRecords(compressionType: CompressionType): RecordBatch {
  const builder = new RecordBatchBuilder({ compressionType, defaultTimestamp: now })
  for (let index = 0; index < 3; index++) builder.append({ key: `k${index}`, value: 'value' })
  return builder.build()
}

/** Gives changed bytes a right checksum: stamping the time they already have computes one. */
function resealed(batch: RecordBatch): void {
  const attributes = batch.bytes.readInt16BE(21)
  batch.stampLogAppendTime(batch.maxTimestamp)
  expect(batch.isChecksumValid()).toBe(true)
  expect(batch.bytes.readInt16BE(21)).toBe(attributes | 8)
}

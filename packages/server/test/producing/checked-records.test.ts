import { defaultTopicSettings } from '@varve/broker/serving'
import {
  CorruptBatchError,
  compress,
  crc32c,
  DecompressionLimitError,
  RecordBatch,
} from '@varve/record'
import { expect, test } from 'vitest'
import { checkedRecords } from '../../src/producing/checked-records.ts'
import { incomingBatch } from '../../src/producing/incoming-batch.ts'
import { RefusedBatchError } from '../../src/producing/refused-batch-error.ts'
import { errorNameOf } from '../../src/protocol/error-codes.ts'
import { producedBatch, produceTo, valued } from '../produced-batch.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

const recordsAt = 61

/** With the checksum that its bytes have. */
function sealed(bytes: Buffer): Buffer {
  bytes.writeInt32BE(bytes.length - 12, 8)
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17)
  return bytes
}

/** A batch of two records whose bytes, from the first record on, are changed. */
function altered(change: (records: Buffer) => void, header?: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(producedBatch(valued('first', 'second')).bytes)
  change(bytes.subarray(recordsAt))
  header?.(bytes)
  return sealed(bytes)
}

/** A batch with these bytes in place of its compressed records. */
function compressedOf(codec: number, payload: Buffer, count: number): Buffer {
  const header = Buffer.from(producedBatch(valued('a')).bytes.subarray(0, recordsAt))
  header.writeInt16BE(codec, 21)
  header.writeInt32BE(count - 1, 23)
  header.writeInt32BE(count, 57)
  return sealed(Buffer.concat([header, payload]))
}

// A record: length, attributes, timestamp delta, offset delta, key size, value size, value,
// headers.
const hostile: readonly (readonly [string, Buffer])[] = [
  ['a record longer than the batch', altered((records) => records.writeUInt8(0x7e, 0))],
  ['a negative length', altered((records) => records.writeUInt8(0x01, 0))],
  ['a length that never ends', altered((records) => records.fill(0xff, 0, 6))],
  ['an offset delta that is another', altered((records) => records.writeUInt8(4, 3))],
  ['offset deltas that are all the same', altered((records) => records.writeUInt8(0, 15))],
  ['a value longer than its record', altered((records) => records.writeUInt8(0x7e, 5))],
  ['a value shorter than its record', altered((records) => records.writeUInt8(2, 5))],
  ['a key of a negative size', altered((records) => records.writeUInt8(3, 4))],
  ['headers that are not there', altered((records) => records.writeUInt8(0x7e, 11))],
  [
    'more records than there are',
    altered(
      () => undefined,
      (bytes) => {
        bytes.writeInt32BE(2, 23)
        bytes.writeInt32BE(3, 57)
      },
    ),
  ],
  [
    'fewer records than there are',
    altered(
      () => undefined,
      (bytes) => {
        bytes.writeInt32BE(0, 23)
        bytes.writeInt32BE(1, 57)
      },
    ),
  ],
  [
    'a count that is not that of its offsets',
    altered(
      () => undefined,
      (bytes) => bytes.writeInt32BE(1, 57),
    ),
  ],
  [
    'no records at all',
    altered(
      () => undefined,
      (bytes) => bytes.writeInt32BE(0, 57),
    ),
  ],
  [
    'a producer without a sequence',
    altered(
      () => undefined,
      (bytes) => bytes.writeBigInt64BE(5n, 43),
    ),
  ],
  ...(['gzip', 'snappy', 'lz4', 'zstd'] as const).map((name, index) => {
    const noise = Buffer.from('this was never compressed by anybody')
    return [`what is no ${name}`, compressedOf(index + 1, noise, 1)] as const
  }),
  ['gzip of what is no record', compressedOf(1, compress('gzip', Buffer.from('no record')), 1)],
  [
    'gzip that ends too early',
    compressedOf(1, compress('gzip', Buffer.alloc(99)).subarray(0, -9), 1),
  ],
]

test.each(hostile)('%s is refused, though its checksum is right', async (_, bytes) => {
  await using server = await startTestServer()
  await server.varve.createTopic('orders')
  await using client = await WireClient.connect(server.port)
  const answer = await produceTo(client, { topic: 'orders', records: bytes })
  expect(errorNameOf(answer.errorCode)).toBe('INVALID_RECORD')
  expect(server.varve.log('orders', 0).logEndOffset).toBe(0)
})

test.each(hostile)('%s with a wrong checksum was damaged on the way', (_, bytes) => {
  const damaged = Buffer.from(bytes)
  damaged.writeUInt32BE(7, 17)
  const settings = defaultTopicSettings
  const rules = { version: 9, settings, now: Date.now(), checkRecords: 'all' } as const
  expect(() => incomingBatch(damaged, rules)).toThrow(CorruptBatchError)
})

test('a bomb is refused as too large', async () => {
  const bomb = compressedOf(1, compress('gzip', Buffer.alloc(60 * 2 ** 20)), 1)
  expect(() => checkedRecords(new RecordBatch(bomb))).toThrow(DecompressionLimitError)
})

test('the greatest timestamp is that of the records, whatever the header says', () => {
  const bytes = altered(
    () => undefined,
    (header) => header.writeBigInt64BE(5n, 35),
  )
  const batch = new RecordBatch(bytes)
  const { maxTimestamp } = checkedRecords(batch)
  expect(batch.maxTimestamp).toBe(maxTimestamp)
  expect(maxTimestamp).toBeGreaterThan(5)
  batch.validate()
})

test.each([
  ['all', false, false],
  ['uncompressed', false, true],
  ['none', true, true],
] as const)('with %s, as much is looked at as was asked for', (checkRecords, ...taken) => {
  const wrong = altered((records) => records.writeUInt8(4, 3))
  const squeezed = compressedOf(1, compress('gzip', Buffer.from('no record')), 1)
  const isTaken = (bytes: Buffer): boolean => {
    try {
      const settings = defaultTopicSettings
      incomingBatch(Buffer.from(bytes), { version: 9, settings, now: Date.now(), checkRecords })
      return true
    } catch (error) {
      expect(error).toBeInstanceOf(RefusedBatchError)
      return false
    }
  }
  expect([isTaken(wrong), isTaken(squeezed)]).toEqual(taken)
})

test('where a topic asks for keys all are looked at', () => {
  const settings = { ...defaultTopicSettings, cleanupPolicy: ['compact'] } as const
  const squeezed = compressedOf(1, compress('gzip', Buffer.from('no record')), 1)
  const rules = { version: 9, settings, now: Date.now(), checkRecords: 'none' } as const
  expect(() => incomingBatch(squeezed, rules)).toThrow(RefusedBatchError)
})

import type { ResolvedTopicSettings } from '@varve/broker'
import { defaultTopicSettings } from '@varve/broker/serving'
import { expect, test } from 'vitest'
import { incomingBatch } from '../../src/producing/incoming-batch.ts'
import { compressedAs } from '../../src/producing/recompression.ts'
import { checkKeys } from '../../src/producing/record-rules.ts'
import { RefusedBatchError } from '../../src/producing/refused-batch-error.ts'
import { UnansweredError } from '../../src/producing/unanswered-error.ts'
import { errorCodes, errorNameOf } from '../../src/protocol/error-codes.ts'
import { producedBatch, valued } from '../produced-batch.ts'

const now = 1_000_000

function incoming(
  bytes: Buffer | null,
  settings: Partial<ResolvedTopicSettings> = {},
  version = 9,
) {
  return incomingBatch(bytes, {
    version,
    settings: { ...defaultTopicSettings, ...settings },
    now,
    checkRecords: 'all',
  })
}

function refusal(...args: Parameters<typeof incoming>): string | undefined {
  try {
    incoming(...args)
  } catch (error) {
    if (error instanceof RefusedBatchError) return errorNameOf(error.kafkaErrorCode)
    throw error
  }
  return undefined
}

test('a batch that keeps the rules is taken as it came', () => {
  const { bytes } = producedBatch(valued('a'), { timestamp: now })
  const batch = incoming(bytes)
  expect(batch.bytes).toBe(bytes)
})

test('there must be one batch of the current format', () => {
  const { bytes } = producedBatch(valued('a'), { timestamp: now })
  expect(refusal(null)).toBe('INVALID_RECORD')
  expect(refusal(Buffer.concat([bytes, bytes]))).toBe('INVALID_RECORD')
  const old = Buffer.from(bytes)
  old[16] = 1
  expect(refusal(old)).toBe('INVALID_RECORD')
})

test('what only a broker writes is refused', () => {
  const altered = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(producedBatch(valued('a'), { timestamp: now }).bytes)
    change(bytes)
    return refusal(bytes)
  }
  expect(altered((bytes) => bytes.writeInt16BE(0x20, 21))).toBe('INVALID_RECORD')
  expect(altered((bytes) => bytes.writeInt16BE(0x08, 21))).toBe('INVALID_TIMESTAMP')
  expect(altered((bytes) => bytes.writeInt16BE(0x10, 21))).toBe('INVALID_RECORD')
  expect(altered((bytes) => bytes.writeInt16BE(0x07, 21))).toBe('UNSUPPORTED_COMPRESSION_TYPE')
  expect(altered((bytes) => bytes.writeInt32BE(5, 4))).toBe('INVALID_RECORD')
})

test('size and codec are those that topic and version allow', () => {
  const { bytes } = producedBatch(valued('a'.repeat(500)), { timestamp: now })
  expect(refusal(bytes, { maxMessageBytes: 500 })).toBe('MESSAGE_TOO_LARGE')
  const zstd = producedBatch(valued('a'), { timestamp: now, compressionType: 'zstd' }).bytes
  expect(refusal(zstd, {}, 6)).toBe('UNSUPPORTED_COMPRESSION_TYPE')
  expect(refusal(zstd, {}, 7)).toBeUndefined()
})

test('timestamps lie where the topic allows, and those that do not are named', () => {
  const at = (...times: number[]) => {
    return producedBatch(times.map((timestamp) => ({ value: 'a', timestamp }))).bytes
  }
  const after = { messageTimestampAfterMaxMs: 10 }
  expect(refusal(at(now + 10), after)).toBeUndefined()
  expect(() => incoming(at(now, now + 11), after)).toThrow(
    expect.objectContaining({
      kafkaErrorCode: errorCodes.INVALID_TIMESTAMP,
      problems: [expect.objectContaining({ batchIndex: 1 })],
    }),
  )
  const before = { messageTimestampBeforeMaxMs: 10 }
  expect(refusal(at(now, now - 11), before)).toBe('INVALID_TIMESTAMP')
  expect(refusal(at(now - 10), before)).toBeUndefined()
  const logTime = { messageTimestampType: 'LogAppendTime', ...before } as const
  const stamped = incoming(at(5), logTime)
  expect(stamped).toMatchObject({ timestampType: 'LogAppendTime', maxTimestamp: now })
  stamped.validate()
})

test('a topic with a codec of its own has all batches in it', () => {
  const headers = [{ key: 'h', value: 'v' }]
  const records = [{ key: 'k', value: 'a', headers, timestamp: now }, { value: null }]
  const shape = { producerId: 5, producerEpoch: 1, baseSequence: 3, timestamp: now - 1 }
  const { bytes } = producedBatch(records, shape)
  for (const codec of ['gzip', 'uncompressed'] as const) {
    const source = codec === 'gzip' ? bytes : incoming(bytes, { compressionType: 'gzip' }).bytes
    const batch = incoming(Buffer.from(source), { compressionType: codec })
    batch.validate()
    expect(batch.compressionType).toBe(codec === 'gzip' ? 'gzip' : 'none')
    expect(batch).toMatchObject({ producerId: 5, producerEpoch: 1, baseSequence: 3, count: 2 })
    expect([...batch.records()].map(({ key, timestamp }) => [key?.toString(), timestamp])).toEqual([
      ['k', now],
      [undefined, now - 1],
    ])
  }
})

test('a batch in another codec has the records that it had', () => {
  const records = Array.from({ length: 50 }, (_, index) => ({ key: `k${index}`, value: 'v' }))
  const batch = producedBatch(records, { timestamp: now })
  const valuesOf = (one: typeof batch) => [...one.records()].map((record) => String(record.key))
  expect(valuesOf(compressedAs(batch, 'gzip'))).toEqual(valuesOf(batch))
})

test('only so many records without a key are named', () => {
  const records = Array.from({ length: 500 }, () => ({ value: 'v' }))
  const batch = producedBatch(records, { timestamp: now })
  expect(() => checkKeys(batch)).toThrow(
    expect.objectContaining({ problems: expect.toSatisfy((all) => all.length === 100) }),
  )
})

test('what nobody is told of says so', () => {
  expect(new UnansweredError({ errorCode: 3 }).message).toMatch(/acks 0 was refused/)
})

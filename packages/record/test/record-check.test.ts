import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CorruptBatchError } from '../src/errors.ts'
import { RecordBatch } from '../src/record-batch.ts'
import { RecordBatchBuilder } from '../src/record-batch-builder.ts'
import { checkRecords } from '../src/record-check.ts'
import { drawn } from './campaign-scale.ts'

const seed = process.env['VARVE_SEED']
const settings = seed === undefined ? {} : { seed: Number(seed) }

const record = fc.record({
  key: fc.option(fc.uint8Array({ maxLength: 200 })),
  value: fc.option(fc.uint8Array({ maxLength: 9000, size: 'max' })),
  timestamp: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.maxSafeNat()),
  headers: fc.array(
    fc.record({ key: fc.string(), value: fc.option(fc.uint8Array({ maxLength: 5 })) }),
    { maxLength: 2 },
  ),
})

function batchOf(records: Parameters<RecordBatchBuilder['append']>[0][]): RecordBatch {
  const builder = new RecordBatchBuilder()
  for (const one of records) builder.append(one)
  return new RecordBatch(Buffer.from(builder.build().bytes))
}

/** What reading all of them says; null where they cannot be read, or leave offsets out. */
function readingOf(batch: RecordBatch) {
  const timestamps: number[] = []
  let keyless = 0
  try {
    for (const { key, timestamp, offset } of batch.records()) {
      if (offset !== batch.baseOffset + timestamps.length) return null
      timestamps.push(timestamp)
      if (key === null) keyless++
    }
  } catch (error) {
    if (error instanceof CorruptBatchError) return null
    throw error
  }
  const [minTimestamp, maxTimestamp] = [Math.min(...timestamps), Math.max(...timestamps)]
  return { minTimestamp, maxTimestamp, keyless }
}

function checkOf(batch: RecordBatch) {
  try {
    return batch.checkRecords()
  } catch (error) {
    if (error instanceof CorruptBatchError) return null
    throw error
  }
}

test('what can be read is right, and says the same', () => {
  const records = fc.array(record, { minLength: 1, maxLength: 40 })
  const check = (some: Parameters<typeof batchOf>[0]): void => {
    const batch = batchOf(some)
    const expected = readingOf(batch)
    expect(expected).not.toBeNull()
    expect(checkOf(batch)).toEqual(expected)
  }
  fc.assert(fc.property(records, check), { ...settings, numRuns: 200 })
})

test('whatever is changed in a batch, it is right as far as a reader can read it', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 3,
  })
  const small = fc.array(record, { minLength: 1, maxLength: 4, size: 'small' })
  const check = (some: Parameters<typeof batchOf>[0], changed: readonly [number, number][]) => {
    const { bytes } = batchOf(some)
    for (const [place, byte] of changed) bytes[61 + (place % (bytes.length - 61))] = byte
    const batch = new RecordBatch(bytes)
    const found = checkOf(batch)
    expect(found).toEqual(readingOf(batch))
  }
  fc.assert(fc.property(small, changes, check), { ...settings, numRuns: drawn(1000, 40_000) })
})

test.each([
  ['fewer records than it says', { count: 3 }],
  ['more bytes than its records', { count: 1 }],
])('%s are refused', (_, { count }) => {
  const { bytes, baseTimestamp, position } = batchOf([{ value: 'a' }, { value: 'b' }])
  expect(() => checkRecords({ bytes, start: 61, count, baseTimestamp, position })).toThrow(
    CorruptBatchError,
  )
})

test('a timestamp beyond what is exact is refused', () => {
  const { bytes, position } = batchOf([{ value: 'a', timestamp: 7 }])
  const baseTimestamp = Number.MAX_SAFE_INTEGER
  const records = { bytes, start: 61, count: 1, position }
  bytes[61 + 2] = 2
  expect(() => checkRecords({ ...records, baseTimestamp })).toThrow(CorruptBatchError)
  expect(checkRecords({ ...records, baseTimestamp: 5 }).maxTimestamp).toBe(6)
})

test('compressed records are looked at too', () => {
  const builder = new RecordBatchBuilder({ compressionType: 'gzip' })
  builder.append({ value: 'a', timestamp: 3 })
  const batch = builder.build()
  expect(batch.checkRecords()).toEqual({ minTimestamp: 3, maxTimestamp: 3, keyless: 1 })
  const bytes = Buffer.from(batch.bytes)
  bytes[bytes.length - 3] = 99
  expect(() => new RecordBatch(bytes).checkRecords()).toThrow(CorruptBatchError)
})

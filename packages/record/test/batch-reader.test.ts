import { describe, expect, test } from 'vitest'
import {
  type Batch,
  batchPrefixBytes,
  batchSizeAt,
  CorruptBatchError,
  LegacyBatch,
  RecordBatch,
  RecordBatchBuilder,
  readBatchAt,
  readBatches,
} from '../src/index.ts'
import { legacyEntry } from './legacy-entries.ts'

const batch = new RecordBatchBuilder().append({ key: 'k', value: 'v' }).build().bytes

describe('batchSizeAt', () => {
  test("tells the size as soon as a batch's first 17 bytes are there", () => {
    for (let size = 0; size <= batch.length; size++) {
      const expected = size < batchPrefixBytes ? null : batch.length
      expect(batchSizeAt(batch, 0, size, 0)).toBe(expected)
    }
  })

  test.each([0, 13, -1, -(2 ** 31)])('refuses the size field %i', (field) => {
    const bytes = Buffer.from(batch)
    bytes.writeInt32BE(field, 8)
    expect(() => batchSizeAt(bytes, 0, bytes.length, 123)).toThrow(CorruptBatchError)
    expect(() => batchSizeAt(bytes, 0, bytes.length, 123)).toThrow(/position 123: .*size field/)
  })

  test('refuses a preallocated tail of zeros', () => {
    expect(() => batchSizeAt(Buffer.alloc(4096), 0, 4096, 0)).toThrow(CorruptBatchError)
  })
})

describe('readBatchAt', () => {
  test('returns exactly the batch, as a view, when all of it is there', () => {
    const bytes = Buffer.concat([Buffer.from('xyz'), batch, Buffer.from('more')])
    const read = readBatchAt(bytes, 3, bytes.length, 5000)
    expect(read).toBeInstanceOf(RecordBatch)
    expect(read).toMatchObject({ position: 5000, sizeBytes: batch.length })
    expect(read?.bytes.equals(batch)).toBe(true)
    expect(read?.bytes.buffer).toBe(bytes.buffer)
  })

  test('returns null at every size short of the whole batch', () => {
    for (let end = 0; end < batch.length; end++) expect(readBatchAt(batch, 0, end, 0)).toBeNull()
  })

  test('returns null for a size field far beyond the bytes', () => {
    const bytes = Buffer.from(batch)
    bytes.writeInt32BE(2 ** 31 - 1, 8)
    expect(readBatchAt(bytes, 0, bytes.length, 0)).toBeNull()
  })

  test.each([3, 127, 255])('refuses the magic %i', (magic) => {
    const bytes = Buffer.from(batch)
    bytes[16] = magic
    expect(() => readBatchAt(bytes, 0, bytes.length, 0)).toThrow(/magic is/)
  })

  test('refuses a size too small for the magic', () => {
    for (const [magic, least] of [
      [0, 26],
      [1, 34],
      [2, 61],
    ] as const) {
      const bytes = Buffer.alloc(least - 1)
      bytes.writeInt32BE(least - 1 - 12, 8)
      bytes[16] = magic
      expect(() => readBatchAt(bytes, 0, bytes.length, 0)).toThrow(/too few|size field/)
    }
  })

  test('calls a range outside the bytes a mistake of the program', () => {
    expect(() => readBatchAt(batch, 0, batch.length + 1, 0)).toThrow(/within the bytes/)
  })
})

describe('readBatches', () => {
  test('yields batches of all magics in order, each with its position', () => {
    const legacy = [0, 1].map((magic) =>
      legacyEntry({ magic: magic as 0 | 1, offset: magic, value: 'v' }),
    )
    const bytes = Buffer.concat([...legacy, batch])
    const read = [...readBatches(bytes, 100)]
    expect(read.map((each) => each.magic)).toEqual([0, 1, 2])
    expect(read[0]).toBeInstanceOf(LegacyBatch)
    const sizes = read.map((each) => each.sizeBytes)
    expect(read.map((each) => each.position)).toEqual([
      100,
      100 + (sizes[0] ?? 0),
      100 + (sizes[0] ?? 0) + (sizes[1] ?? 0),
    ])
  })

  test('leaves out an incomplete last batch in silence and says how many bytes it has', () => {
    for (let torn = 0; torn < batch.length; torn++) {
      const bytes = Buffer.concat([batch, batch, batch.subarray(0, torn)])
      expect(readAll(bytes)).toEqual([2, torn])
    }
  })

  test('refuses a bad batch behind good ones, at its position', () => {
    const read: Batch[] = []
    const readOn = () => {
      for (const each of readBatches(Buffer.concat([batch, Buffer.alloc(100)]), 10)) read.push(each)
    }
    expect(readOn).toThrow(new RegExp(`position ${10 + batch.length}`))
    expect(read).toHaveLength(1)
  })
})

function readAll(bytes: Buffer): [count: number, left: number] {
  const batches = readBatches(bytes)
  for (let count = 0; ; count++) {
    const next = batches.next()
    if (next.done) return [count, next.value]
  }
}

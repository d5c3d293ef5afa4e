import { expect, test } from 'vitest'
import type { CompressionType } from '../../src/compression/compression-type.ts'
import { DecompressionMemory, RecordBatch, RecordBatchBuilder } from '../../src/index.ts'

function batchOf(compressionType: CompressionType, values: readonly string[]): RecordBatch {
  const builder = new RecordBatchBuilder({ compressionType, defaultTimestamp: 0 })
  for (const value of values) builder.append({ value })
  return new RecordBatch(Buffer.from(builder.build().bytes))
}

function valuesOf(batch: RecordBatch, memory?: DecompressionMemory): string[] {
  const options = memory === undefined ? {} : { memory }
  return Array.from(batch.records(options), ({ value }) => String(value))
}

const texts = (count: number, word: string): string[] =>
  Array.from({ length: count }, (_, index) => `${word} ${index} `.repeat(40))

test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
  'records of %s are the same out of memory that is used again, whatever their sizes',
  (compressionType) => {
    const memory = new DecompressionMemory()
    for (const count of [1, 500, 3, 2000, 1, 500]) {
      const batch = batchOf(compressionType, texts(count, 'layer'))
      expect(valuesOf(batch, memory)).toEqual(valuesOf(batch))
    }
  },
)

test.each(['lz4', 'zstd'] as const)(
  'the next batch of %s takes the place of the one before',
  (type) => {
    const memory = new DecompressionMemory()
    const first = batchOf(type, texts(300, 'first'))
    // It has no size yet: what comes out now has memory of its own.
    valuesOf(first, memory)
    const [kept] = first.records({ memory })
    expect(String(kept?.value)).toMatch(/^first 0/)
    valuesOf(batchOf(type, texts(300, 'other')), memory)
    expect(String(kept?.value)).toMatch(/^other 0/)
  },
)

test('a batch that does not fit has memory of its own, and the next as large fits', () => {
  const memory = new DecompressionMemory()
  valuesOf(batchOf('lz4', texts(10, 'small')), memory)
  const large = batchOf('lz4', texts(5000, 'large'))
  const [record] = large.records({ memory })
  valuesOf(batchOf('lz4', texts(10, 'small')), memory)
  expect(String(record?.value)).toMatch(/^large 0/)
  const [again] = large.records({ memory })
  valuesOf(batchOf('lz4', texts(10, 'small')), memory)
  expect(String(again?.value)).toMatch(/^small 0/)
})

test('what is damaged is refused as without it, and the memory can be used on', () => {
  const memory = new DecompressionMemory()
  const good = batchOf('lz4', texts(100, 'good'))
  valuesOf(good, memory)
  const bad = batchOf('lz4', texts(100, 'bad'))
  bad.bytes.fill(0xee, 100, 200)
  expect(() => valuesOf(bad, memory)).toThrow(/lz4/)
  expect(valuesOf(good, memory)).toEqual(valuesOf(good))
})

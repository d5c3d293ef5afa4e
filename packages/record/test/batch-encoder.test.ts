import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  BatchEncoder,
  type CompressionType,
  InvalidArgumentError,
  readBatches,
} from '../src/index.ts'
import { checkProperty } from './property.ts'
import { anyRecord, plainInput, plainRecord } from './record-samples.ts'

const now = 1_700_000_000_000

describe('an encoder', () => {
  test('puts batch after batch into one buffer, each where it says', () => {
    const batches = fc.array(
      fc.record({
        records: fc.array(anyRecord, { minLength: 1, maxLength: 6 }),
        compressionType: fc.constantFrom<CompressionType>('none', 'lz4', 'gzip', 'zstd', 'snappy'),
        isAbandoned: fc.boolean(),
      }),
      { maxLength: 6 },
    )
    checkProperty(batches, 150, (list) => {
      const encoder = new BatchEncoder({ initialBytes: 0 })
      let end = 0
      for (const { records, compressionType, isAbandoned } of list) {
        encoder.begin({ compressionType })
        for (const record of records) encoder.append(record, now)
        expect(encoder.openCount).toBe(records.length)
        if (isAbandoned) {
          encoder.abandon()
        } else {
          const { start, sizeBytes } = encoder.finish()
          expect(start).toBe(end)
          end += sizeBytes
        }
        expect([encoder.sizeBytes, encoder.openSizeBytes, encoder.openCount]).toEqual([end, 0, 0])
      }
      const read = [...readBatches(encoder.bytes())]
      for (const batch of read) batch.validate()
      const kept = list.filter(({ isAbandoned }) => !isAbandoned)
      expect(read.map((batch) => [...batch.records()].map(plainRecord))).toEqual(
        kept.map(({ records }) =>
          records.map((record, offset) =>
            plainInput(record, { offset, timestamp: record.timestamp ?? now, sequence: -1 }),
          ),
        ),
      )
    })
  })

  test('grows for what does not compress', () => {
    const noise = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * index * 31) >> 3))
    const encoder = new BatchEncoder({ initialBytes: 5100 })
    encoder.begin({ compressionType: 'gzip', compressionLevel: 0 })
    encoder.append({ value: noise }, now)
    encoder.finish()
    const [batch] = readBatches(encoder.bytes())
    const [record] = batch?.records() ?? []
    expect(record?.value?.equals(noise)).toBe(true)
  })

  test('keeps an open batch whole while its buffer grows', () => {
    const encoder = new BatchEncoder({ initialBytes: 100 })
    encoder.begin()
    for (let index = 0; index < 3000; index++) encoder.append({ key: `k${index}`, value: 'v' }, now)
    encoder.finish()
    const [batch] = readBatches(encoder.bytes())
    batch?.validate()
    const keys = [...(batch?.records() ?? [])].map(({ key }) => String(key))
    expect(keys).toEqual(Array.from({ length: 3000 }, (_, index) => `k${index}`))
  })

  test('encodes records of every length around those where the length takes a byte more', () => {
    const sizes = [48, 8176, 1_048_558].flatMap((size) => {
      return Array.from({ length: 16 }, (_, index) => size + index)
    })
    const content = Buffer.alloc(1_048_576, 'x')
    const encoder = new BatchEncoder({ initialBytes: 0 })
    for (const far of [0, 2 ** 40]) {
      encoder.begin()
      encoder.append({ key: 'first' }, now)
      for (const size of sizes) encoder.append({ value: content.subarray(0, size) }, now + far)
      encoder.finish()
    }
    for (const batch of readBatches(encoder.bytes())) {
      batch.validate()
      const [first, ...others] = batch.records()
      expect(String(first?.key)).toBe('first')
      expect(others.map(({ valueSize }) => valueSize)).toEqual(sizes)
      const areRight = others.map(({ value }) => value?.equals(content.subarray(0, value.length)))
      expect(areRight).toEqual(sizes.map(() => true))
    }
  })

  test('keeps its memory when it is cleared, but not that of one huge round', () => {
    const encoder = new BatchEncoder()
    fill(encoder, 300_000)
    const memory = encoder.bytes().buffer
    encoder.clear()
    expect(encoder.sizeBytes).toBe(0)
    fill(encoder, 300_000)
    expect(encoder.bytes().buffer).toBe(memory)
    encoder.clear()

    fill(encoder, 40_000_000)
    expect(encoder.bytes().buffer.byteLength).toBeGreaterThan(40_000_000)
    encoder.clear()
    fill(encoder, 1000)
    expect(encoder.bytes().buffer.byteLength).toBeGreaterThan(40_000_000)
    encoder.clear()
    fill(encoder, 1000)
    expect(encoder.bytes().buffer.byteLength).toBe(4 * 1024 * 1024)
  })

  test('leaves the batch open when its codec refuses the level', () => {
    const encoder = new BatchEncoder()
    encoder.begin({ compressionType: 'gzip', compressionLevel: 99 })
    encoder.append({ value: 'v' }, now)
    expect(() => encoder.finish()).toThrow(InvalidArgumentError)
    expect([encoder.isOpen, encoder.openCount]).toEqual([true, 1])
    encoder.abandon()
    expect([encoder.isOpen, encoder.sizeBytes]).toEqual([false, 0])
  })

  test.each([-1, 1.5, Number.NaN, 2 ** 31])('refuses to start with %s bytes', (initialBytes) => {
    expect(() => new BatchEncoder({ initialBytes })).toThrow(/initialBytes/)
  })

  test('calls a batch begun twice, or never, a mistake of the program', () => {
    const encoder = new BatchEncoder()
    expect(() => encoder.append({ value: 'v' }, now)).toThrow(/a batch is open/)
    expect(() => encoder.finish()).toThrow(/a batch is open/)
    expect(() => encoder.abandon()).toThrow(/a batch is open/)
    encoder.begin()
    expect(() => encoder.begin()).toThrow(/finished or abandoned/)
    expect(() => encoder.clear()).toThrow(/finished or abandoned/)
  })
})

function fill(encoder: BatchEncoder, size: number): void {
  encoder.begin()
  encoder.append({ value: Buffer.alloc(size, 'x') }, now)
  encoder.finish()
}

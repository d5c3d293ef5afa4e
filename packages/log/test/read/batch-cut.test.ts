import { CorruptBatchError } from '@varve/record'
import { expect, test } from 'vitest'
import { cutBatches } from '../../src/read/batch-cut.ts'
import { batchOf } from '../log-fixture.ts'

const batches = [0, 2, 4].map((baseOffset) => {
  return batchOf([{ value: 'a' }, { value: 'b' }], { baseOffset }).bytes
})
const bytes = Buffer.concat(batches)
const size = batches[0]?.length ?? 0
const all = { from: 0, limitOffset: 6, endOffset: 6, maxBytes: 2 ** 20 }

test('whole batches are cut out, from the one that holds the offset on', () => {
  expect(cutBatches(bytes, all)).toMatchObject({ start: 0, end: 3 * size, nextOffset: 6 })
  expect(cutBatches(bytes, { ...all, from: 3 })).toMatchObject({ start: size, nextOffset: 6 })
  expect(cutBatches(bytes, { ...all, maxBytes: 2 * size })).toMatchObject({ end: 2 * size })
  expect(cutBatches(bytes, { ...all, limitOffset: 4 })).toMatchObject({ nextOffset: 4 })
  expect(cutBatches(bytes.subarray(0, 3 * size - 1), all)).toMatchObject({ end: 2 * size })
})

test('a first batch that is not whole says how large it is', () => {
  const cut = cutBatches(bytes.subarray(0, size + 30), { ...all, from: 2 })
  expect(cut).toMatchObject({ start: size, end: size, missingBytes: size })
})

test('where nothing is wanted, it is said where to look on', () => {
  expect(cutBatches(bytes, { ...all, from: 6, limitOffset: 9 })).toMatchObject({
    ...{ start: 3 * size, end: 3 * size, missingBytes: 0 },
  })
})

test('impossible sizes and offsets are damage', () => {
  const altered = (at: number, value: number) => {
    const copy = Buffer.from(bytes)
    copy.writeInt32BE(value, at)
    return () => cutBatches(copy, all)
  }
  expect(altered(8, 3)).toThrow(CorruptBatchError)
  expect(altered(size + 4, 0)).toThrow(CorruptBatchError)
  expect(altered(23, 100)).toThrow(CorruptBatchError)
})

import { expect, test } from 'vitest'
import { ReadingMemory } from '../../src/storage/reading-memory.ts'

const sizes = [1, 61, 4095, 4096, 10_000, 16_384, 16_385, 70_000]

test('a copy is whole, and no other copy lies in its memory', () => {
  const memory = new ReadingMemory()
  const copies = Array.from({ length: 100 }, (_, index) => {
    const length = sizes[index % sizes.length] ?? 0
    return memory.copied(Buffer.alloc(length, index))
  })
  for (const [index, copy] of copies.entries()) {
    expect(copy.equals(Buffer.alloc(sizes[index % sizes.length] ?? 0, index))).toBe(true)
  }
})

test('memory that was given back is used again where it fits, and no larger one is wasted', () => {
  const memory = new ReadingMemory()
  const first = memory.borrowed(Buffer.alloc(10_000, 1))
  expect(first.length).toBeGreaterThanOrEqual(10_000)
  memory.giveBack(first)
  expect(memory.borrowed(Buffer.alloc(100, 2))).not.toBe(first)
  const again = memory.borrowed(Buffer.alloc(9_000, 3))
  expect(again).toBe(first)
  expect(again.subarray(0, 9_000).equals(Buffer.alloc(9_000, 3))).toBe(true)
  expect(memory.borrowed(Buffer.alloc(9_000, 4))).not.toBe(first)
})

test('what is read into for a moment grows with what is asked for', () => {
  const memory = new ReadingMemory()
  for (const size of sizes) expect(memory.scratch(size)).toHaveLength(size)
  expect(memory.scratch(10).buffer).toBe(memory.scratch(70_000).buffer)
})

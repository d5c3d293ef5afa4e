import { expect, test } from 'vitest'
import { FramePool } from '../../src/net/frame-pool.ts'

test('memory that was given back is given out again, and once', () => {
  const pool = new FramePool()
  const first = pool.take(10_000)
  expect(first.length).toBeGreaterThanOrEqual(10_000)
  const { buffer } = first
  pool.giveBack(first.subarray(5, 20))
  pool.giveBack(first)
  expect(pool.keptBytes).toBe(buffer.byteLength)
  expect(pool.take(10_100).buffer).toBe(buffer)
  expect(pool.take(10_100).buffer).not.toBe(buffer)
  expect(pool.keptBytes).toBe(0)
})

test('small and huge frames, and those of others, are left to the collector', () => {
  const pool = new FramePool()
  for (const memory of [pool.take(100), pool.take(5 * 2 ** 20), Buffer.alloc(20_000)]) {
    pool.giveBack(memory)
  }
  expect(pool.keptBytes).toBe(0)
})

test('it keeps so much and no more', () => {
  const pool = new FramePool()
  const taken = Array.from({ length: 20 }, () => pool.take(2 ** 20))
  for (const memory of taken) pool.giveBack(memory)
  expect(pool.keptBytes).toBe(18 * 2 ** 20)
})

test('what it keeps is of the sizes that are asked for now', () => {
  const pool = new FramePool()
  const giveBackAll = (sizeBytes: number, count: number): void => {
    const taken = Array.from({ length: count }, () => pool.take(sizeBytes))
    for (const memory of taken) pool.giveBack(memory)
  }
  giveBackAll(2 ** 20, 18)
  giveBackAll(2 ** 20 + 61, 16)
  const kept = pool.keptBytes
  expect(kept).toBe(18 * 2 ** 20)
  const again = Array.from({ length: 16 }, () => pool.take(2 ** 20 + 61))
  expect(kept - pool.keptBytes).toBe(again.reduce((sum, { length }) => sum + length, 0))
})

test('memory is at most an eighth larger than what is asked for', () => {
  const pool = new FramePool()
  for (let sizeBytes = 8 * 1024; sizeBytes <= 4 * 2 ** 20; sizeBytes += 12_345) {
    const { length } = pool.take(sizeBytes)
    expect(length).toBeGreaterThanOrEqual(sizeBytes)
    expect(length).toBeLessThanOrEqual(sizeBytes * 1.125)
  }
})

test('where none of the size is kept, larger memory is used, up to twice as large', () => {
  const pool = new FramePool()
  const [large, larger] = [pool.take(2 ** 20), pool.take(1.25 * 2 ** 20)]
  for (const memory of [larger, large]) pool.giveBack(memory)
  expect(pool.take(450_000).length).toBeLessThan(2 ** 19)
  const taken = pool.take(700_000)
  expect(taken.buffer).toBe(large.buffer)
  expect(pool.keptBytes).toBe(larger.buffer.byteLength)
  pool.giveBack(taken)
  expect(pool.keptBytes).toBe(large.buffer.byteLength + larger.buffer.byteLength)
})

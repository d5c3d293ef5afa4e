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
  expect(pool.take(12_000).buffer).toBe(buffer)
  expect(pool.take(12_000).buffer).not.toBe(buffer)
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
  expect(pool.keptBytes).toBe(16 * 2 ** 20)
})

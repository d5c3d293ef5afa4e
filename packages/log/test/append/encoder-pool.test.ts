import { BatchEncoder } from '@varve/record'
import { expect, test } from 'vitest'
import { EncoderPool } from '../../src/append/encoder-pool.ts'

test('an encoder that comes back is empty, and the next one to be taken', () => {
  const pool = new EncoderPool()
  const encoder = pool.take()
  encoder.begin()
  encoder.append({ value: 'a' }, 0)
  encoder.finish()
  pool.giveBack(encoder)
  expect(pool.idleBytes).toBe(encoder.capacityBytes)
  expect(pool.take()).toBe(encoder)
  expect(encoder.sizeBytes).toBe(0)
  expect(pool.idleBytes).toBe(0)
  expect(pool.take()).not.toBe(encoder)
})

test('what is kept is bounded, in bytes', () => {
  const pool = new EncoderPool()
  for (let encoder = 0; encoder < 20; encoder++) {
    pool.giveBack(new BatchEncoder({ initialBytes: 2 ** 20 }))
  }
  expect(pool.idleBytes).toBe(16 * 2 ** 20)
})

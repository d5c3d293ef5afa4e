import { expect, test } from 'vitest'
import { TokenBucket } from '../../src/quotas/token-bucket.ts'

test('a burst may be taken at once, and once more than there is', () => {
  const bucket = new TokenBucket(10)
  expect(bucket.tokens(5, 1000)).toBe(50)
  bucket.take(60, 5, 1000)
  expect(bucket.tokens(5, 1000)).toBe(-10)
  expect(bucket.excessMs(5, 1000)).toBe(2000)
  expect(bucket.excessMs(5, 3000)).toBe(0)
})

test('it fills at its rate, and not beyond the burst', () => {
  const bucket = new TokenBucket(10)
  bucket.take(50, 5, 1000)
  expect(bucket.tokens(5, 3000)).toBe(10)
  expect(bucket.tokens(5, 1_000_000)).toBe(50)
})

test('what is more than there can be waits until all is there that can', () => {
  const bucket = new TokenBucket(10)
  bucket.take(30, 5, 1000)
  expect(bucket.waitMs(21, 5, 1000)).toBe(200)
  expect(bucket.waitMs(1000, 5, 1000)).toBe(6000)
  expect(bucket.waitMs(1000, 5, 7000)).toBe(0)
})

test('a debt that would take too long to pay is let be', () => {
  const bucket = new TokenBucket(10, 2)
  bucket.take(1_000_000, 5, 1000)
  expect(bucket.excessMs(5, 1000)).toBe(2000)
})

test('whoever takes at the limit never waits, and at twice the limit half of the time', () => {
  const bucket = new TokenBucket(10)
  bucket.take(50, 5, 0)
  for (let second = 1; second < 100; second++) {
    bucket.take(5, 5, second * 1000)
    expect(bucket.excessMs(5, second * 1000)).toBe(0)
  }
  bucket.take(10, 5, 100_000)
  expect(bucket.excessMs(5, 100_000)).toBe(1000)
})

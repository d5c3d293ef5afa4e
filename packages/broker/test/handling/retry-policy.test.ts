import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import {
  exponentialRetry,
  fixedRetry,
  noRetry,
  type RetryPolicy,
  randomRetry,
} from '../../src/handling/retry-policy.ts'

function delays(policy: RetryPolicy, random = 0.5): Array<number | null> {
  return [1, 2, 3, 4, 5, 6].map((attempt) => policy.delayMs(attempt, 0, () => random))
}

test('a fixed policy waits the same time, and gives up after its attempts', () => {
  expect(delays(fixedRetry({ delayMs: 50, maxAttempts: 3 }))).toEqual([
    50,
    50,
    null,
    null,
    null,
    null,
  ])
  expect(delays(fixedRetry({ delayMs: 0, maxAttempts: Infinity }))).toEqual([0, 0, 0, 0, 0, 0])
  expect(delays(noRetry)).toEqual([null, null, null, null, null, null])
})

test('a random policy draws from its range', () => {
  const policy = randomRetry({ minMs: 100, maxMs: 300 })
  expect([0, 0.5, 1].map((random) => policy.delayMs(1, 0, () => random))).toEqual([100, 200, 300])
})

test('an exponential policy doubles up to its longest wait, with as much chance as asked for', () => {
  const limits = { initialMs: 100, maxMs: 500 } as const
  expect(delays(exponentialRetry({ ...limits, jitter: 'none' }))).toEqual([
    100,
    200,
    400,
    500,
    null,
    null,
  ])
  expect(delays(exponentialRetry(limits), 0.1)).toEqual([10, 20, 40, 50, null, null])
  expect(delays(exponentialRetry({ ...limits, jitter: 'equal' }), 1)).toEqual([
    100,
    200,
    400,
    500,
    null,
    null,
  ])
  expect(delays(exponentialRetry({ ...limits, jitter: 'equal' }), 0)).toEqual([
    50,
    100,
    200,
    250,
    null,
    null,
  ])
})

test('no attempt begins after the time that a policy has', () => {
  const policy = fixedRetry({ delayMs: 100, maxElapsedMs: 250, maxAttempts: Infinity })
  expect(policy.delayMs(1, 150, () => 0)).toBe(100)
  expect(policy.delayMs(2, 151, () => 0)).toBeNull()
})

test.each([
  () => fixedRetry({ delayMs: -1 }),
  () => fixedRetry({ delayMs: Number.NaN }),
  () => fixedRetry({ delayMs: 1, maxAttempts: 0 }),
  () => fixedRetry({ delayMs: 1, maxElapsedMs: -1 }),
  () => randomRetry({ minMs: 2, maxMs: 1 }),
  () => exponentialRetry({ factor: 0.5 }),
  () => exponentialRetry({ jitter: 'some' as 'full' }),
])('impossible settings are refused: %s', (make) => {
  expect(make).toThrow(InvalidArgumentError)
})

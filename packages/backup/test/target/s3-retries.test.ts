import { type Clock, systemClock } from '@varve/log'
import { expect, test } from 'vitest'
import { S3Failure } from '../../src/target/s3-failure.ts'
import { withRetries } from '../../src/target/s3-retries.ts'

/** Notes how long it was asked to wait, and waits for none of it. */
function noting(): { readonly clock: Clock; readonly delays: number[] } {
  const delays: number[] = []
  const clock: Clock = {
    ...systemClock,
    setTimer: (delayMs, callback) => {
      delays.push(delayMs)
      return systemClock.setTimer(0, callback, { keepsAlive: true })
    },
  }
  return { clock, delays }
}

const failing = (retryAfterMs = 0): S3Failure =>
  new S3Failure('too much', { code: 'SlowDown', isRetriable: true, retryAfterMs })

test('waits grow, are random, and have a limit', async () => {
  const { clock, delays } = noting()
  const policy = { attempts: 400, delayMs: 100, clock }
  const run = withRetries(policy, null, () => Promise.reject(failing()))
  await expect(run).rejects.toThrow('too much')
  expect(delays).toHaveLength(399)
  for (const [index, delayMs] of delays.entries()) {
    expect(delayMs).toBeLessThanOrEqual(Math.min(20_000, 100 * 2 ** index))
  }
  // All are drawn anew, up to the limit.
  expect(new Set(delays).size).toBeGreaterThan(300)
  expect(Math.max(...delays)).toBeGreaterThan(15_000)
})

test('a server that says how long to wait is left alone for as long', async () => {
  const { clock, delays } = noting()
  const run = withRetries({ attempts: 2, delayMs: 1, clock }, null, () =>
    Promise.reject(failing(7000)),
  )
  await expect(run).rejects.toThrow('too much')
  expect(delays).toEqual([7000])
})

test('what failed after all attempts is not tried again by what contains it', async () => {
  const policy = { attempts: 3, delayMs: 0, clock: noting().clock }
  let calls = 0
  const inner = (): Promise<never> =>
    withRetries(policy, null, () => {
      calls++
      return Promise.reject(failing())
    })
  await expect(withRetries(policy, null, inner)).rejects.toThrow('too much')
  expect(calls).toBe(3)
})

test('a signal ends the waiting with its reason', async () => {
  const stopping = new AbortController()
  const policy = { attempts: 3, delayMs: 60_000, clock: systemClock }
  let calls = 0
  const run = withRetries(policy, stopping.signal, () => {
    calls++
    return Promise.reject(failing(60_000))
  })
  setTimeout(() => stopping.abort(new Error('enough')), 5)
  await expect(run).rejects.toThrow('enough')
  expect(calls).toBe(1)
})

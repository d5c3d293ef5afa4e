import { expect, test } from 'vitest'
import { IoThrottle, sleep } from '../../src/base/io-throttle.ts'
import { ManualClock } from '../../src/testing/index.ts'

test('bytes are spent at the rate, on average', async () => {
  const clock = new ManualClock()
  const throttle = new IoThrottle(1000, clock)
  let spent = 0
  const spending = (async () => {
    for (let piece = 0; piece < 10; piece++) {
      await throttle.spend(100)
      spent += 100
    }
  })()
  for (let elapsed = 0; elapsed < 1000; elapsed += 100) {
    expect(spent).toBe(elapsed)
    clock.advance(100)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await spending
})

test('without a rate nobody waits', async () => {
  const clock = new ManualClock()
  await new IoThrottle(0, clock).spend(1e12)
  expect(clock.pendingTimers).toBe(0)
})

test('a signal ends the wait, with its reason', async () => {
  const clock = new ManualClock()
  const abort = new AbortController()
  const waiting = new IoThrottle(1, clock, abort.signal).spend(1000)
  abort.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  expect(clock.pendingTimers).toBe(0)
  await sleep(clock, 5, AbortSignal.abort())
})

import { expect, test } from 'vitest'
import { ManualClock } from '../../src/testing/index.ts'

test('time stands still until it is advanced', () => {
  const clock = new ManualClock(1000)
  expect([clock.now(), clock.monotonic()]).toEqual([1000, 0])
  clock.advance(2.5)
  expect([clock.now(), clock.monotonic()]).toEqual([1002.5, 2.5])
})

test('timers fire in order of time, then of setting, each at its own moment', () => {
  const clock = new ManualClock(0)
  const fired: string[] = []
  const note = (name: string) => (): void => {
    fired.push(`${name} at ${clock.now()}`)
  }
  clock.setTimer(20, note('c'))
  clock.setTimer(10, note('a'))
  clock.setTimer(10, note('b'))
  clock.setTimer(30, note('d'))
  clock.advance(20)
  expect(fired).toEqual(['a at 10', 'b at 10', 'c at 20'])
  expect(clock.pendingTimers).toBe(1)
  clock.advance(9)
  expect(fired).toHaveLength(3)
  clock.advance(1)
  expect(fired.at(-1)).toBe('d at 30')
})

test('a cancelled timer does not fire, not even when another timer cancels it', () => {
  const clock = new ManualClock()
  const fired: string[] = []
  const early = clock.setTimer(1, () => fired.push('early'))
  early.cancel()
  const late = clock.setTimer(5, () => fired.push('late'))
  clock.setTimer(3, () => late.cancel())
  clock.advance(10)
  expect(fired).toEqual([])
  expect(clock.pendingTimers).toBe(0)
})

test('a timer that sets itself again fires as often as there is time', () => {
  const clock = new ManualClock()
  let count = 0
  const tick = (): void => {
    count += 1
    clock.setTimer(10, tick)
  }
  clock.setTimer(10, tick)
  clock.advance(55)
  expect(count).toBe(5)
})

test('setting the wall clock fires nothing and leaves durations alone', () => {
  const clock = new ManualClock(0)
  let count = 0
  clock.setTimer(10, () => {
    count += 1
  })
  clock.setNow(1_000_000)
  expect([clock.monotonic(), count]).toEqual([0, 0])
  clock.advance(10)
  expect([clock.now(), count]).toEqual([1_000_010, 1])
})

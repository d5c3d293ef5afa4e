import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { Deadlines } from '../../src/fetching/deadlines.ts'

test('what ends together ends with one timer, at its time and not before', () => {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock)
  const expired: string[] = []
  const add = (name: string, delayMs: number) => {
    return deadlines.add({ expire: () => void expired.push(name) }, delayMs)
  }
  add('a', 100)
  add('b', 100)
  const cancel = add('c', 100)
  add('d', 200)
  expect(deadlines.timers).toBe(2)
  cancel()
  clock.advance(99)
  expect(expired).toEqual([])
  clock.advance(5)
  expect(expired).toEqual(['a', 'b'])
  clock.advance(100)
  expect(expired).toEqual(['a', 'b', 'd'])
  expect(deadlines.timers).toBe(0)
})

test('a timer that nobody needs any more is taken back', () => {
  const deadlines = new Deadlines(new ManualClock())
  const cancel = deadlines.add({ expire: () => expect.fail('it was taken back') }, 10)
  cancel()
  cancel()
  expect(deadlines.timers).toBe(0)
})

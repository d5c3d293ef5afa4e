import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { FailedLogins } from '../../src/security/failed-logins.ts'

function fail(logins: FailedLogins, times: number, host: string, user: string | null): void {
  for (let time = 0; time < times; time++) logins.failed(host, user)
}

test('after a few failures each makes the next wait longer, up to a limit', () => {
  const logins = new FailedLogins(new ManualClock(), 100)
  const holds = Array.from({ length: 12 }, () => {
    logins.failed('a', 'alice')
    return logins.holdMs('a', 'alice')
  })
  expect(holds).toEqual([0, 0, 0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000])
})

test('other users of the machine, and other machines, do not wait', () => {
  const logins = new FailedLogins(new ManualClock(), 100)
  fail(logins, 20, 'a', 'alice')
  expect(logins.holdMs('a', 'bob')).toBe(0)
  expect(logins.holdMs('b', 'alice')).toBe(0)
  expect(logins.holdMs('a', null)).toBe(0)
})

test('an address from where many users are tried waits for any of them', () => {
  const logins = new FailedLogins(new ManualClock(), 100)
  for (let user = 0; user < 105; user++) logins.failed('a', `user-${user}`)
  expect(logins.holdMs('a', 'another')).toBeGreaterThan(100)
  expect(logins.holdMs('a', null)).toBeGreaterThan(100)
})

test('failures are forgotten with time', () => {
  const clock = new ManualClock()
  const logins = new FailedLogins(clock, 100)
  fail(logins, 6, 'a', 'alice')
  expect(logins.holdMs('a', 'alice')).toBe(400)
  clock.advance(30_000)
  expect(logins.holdMs('a', 'alice')).toBe(0)
})

test('memory does not grow with the number of users that are tried', () => {
  const logins = new FailedLogins(new ManualClock(), 100)
  for (let user = 0; user < 30_000; user++) logins.failed('a', `user-${user}`)
  expect(logins.size).toBeLessThanOrEqual(10_000)
  expect(logins.holdMs('a', 'user-29999')).toBe(5000)
})

test('names that nobody has are remembered by something short, and told apart', () => {
  const logins = new FailedLogins(new ManualClock(), 100)
  const [one, other] = ['x'.repeat(16_000), `${'x'.repeat(15_999)}y`]
  fail(logins, 6, 'a', one)
  expect(logins.holdMs('a', one)).toBe(400)
  expect(logins.holdMs('a', other)).toBe(0)
})

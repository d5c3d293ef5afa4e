import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { InitialDelay } from '../../../src/groups/classic/initial-delay.ts'

const first = {
  memberId: '',
  groupInstanceId: null,
  clientId: 'c',
  clientHost: '/127.0.0.1',
  protocolType: 'consumer',
  protocols: [],
  sessionTimeoutMs: 1000,
  rebalanceTimeoutMs: 10_000,
  local: null,
  initialRebalanceDelayMs: 3000,
}

test('members that come prolong the wait, up to the first one’s rebalance time-out', () => {
  const clock = new ManualClock()
  const began = clock.monotonic()
  let ended = -1
  const delay = InitialDelay.begin(clock, first, () => {
    ended = clock.monotonic() - began
  })
  for (let second = 0; second < 20; second++) {
    delay?.prolong()
    clock.advance(1000)
  }
  expect(ended).toBe(10_000)
})

test('nothing is waited for where that is not asked for, and by members of this process', () => {
  const clock = new ManualClock()
  const local = { rebalance: () => undefined, removed: () => undefined }
  const isOver = () => undefined
  expect(InitialDelay.begin(clock, { ...first, initialRebalanceDelayMs: 0 }, isOver)).toBeNull()
  expect(InitialDelay.begin(clock, { ...first, local }, isOver)).toBeNull()
})

import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { turnMsMax } from '../../src/base/turns.ts'
import { BeginningTurn } from '../../src/net/beginning-turn.ts'

test('a turn is over after many requests', () => {
  const turn = new BeginningTurn(new ManualClock())
  turn.begin()
  let begun = 0
  for (; !turn.isOver; begun++) turn.count()
  expect(begun).toBe(256)
  turn.begin()
  expect(turn.isOver).toBe(false)
})

test('a turn is over after some time, but one request has always its turn', () => {
  const clock = new ManualClock()
  const turn = new BeginningTurn(clock)
  turn.begin()
  clock.advance(10 * turnMsMax)
  expect(turn.isOver).toBe(false)
  turn.count()
  expect(turn.isOver).toBe(true)
})

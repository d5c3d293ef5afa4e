import { expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { nextTurn, pollTurn, turnWhenDue } from '../../src/base/turns.ts'
import { ManualClock } from '../../src/testing/index.ts'

/** Whether four timers come while `work` is done again and again. */
async function letsTimersCome(work: () => Promise<void>): Promise<boolean> {
  let timers = 0
  const count = (): void => {
    timers++
    timer = systemClock.setTimer(1, count)
  }
  let timer = systemClock.setTimer(1, count)
  const end = systemClock.monotonic() + 5000
  while (timers < 4 && systemClock.monotonic() < end) await work()
  timer.cancel()
  return timers === 4
}

async function step(): Promise<void> {
  const turn = turnWhenDue(systemClock)
  if (turn !== null) await turn
}

test('a loop of promises lets timers have their turn, and so do many loops at once', async () => {
  expect(await letsTimersCome(step)).toBe(true)
  const many = async (): Promise<void> => {
    await Promise.all(Array.from({ length: 20 }, step))
  }
  expect(await letsTimersCome(many)).toBe(true)
})

test('nothing is waited for while no time passes', async () => {
  await pollTurn()
  const clock = new ManualClock()
  await turnWhenDue(clock)
  let turns = 0
  for (let call = 0; call < 1000; call++) {
    const turn = turnWhenDue(clock)
    if (turn === null) continue
    turns++
    await turn
  }
  expect(turns).toBeLessThanOrEqual(1)
})

test('every callback that is due runs before the next turn', async () => {
  const seen: string[] = []
  void Promise.resolve().then(() => void Promise.resolve().then(() => seen.push('callback')))
  await nextTurn()
  expect(seen).toEqual(['callback'])
})

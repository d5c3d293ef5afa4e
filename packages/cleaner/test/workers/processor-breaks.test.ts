import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { ProcessorBreaks } from '../../src/workers/processor-breaks.ts'

const busy = Int32Array.of(1)

function msOf(action: () => void): number {
  const startedMs = performance.now()
  action()
  return performance.now() - startedMs
}

test('who has worked for a while rests, for a short time', () => {
  const clock = new ManualClock()
  const breaks = new ProcessorBreaks(clock, busy, 1)
  const rests: number[] = []
  for (let round = 0; round < 50; round++) {
    clock.advance(1)
    rests.push(msOf(() => breaks.take()))
  }
  expect(Math.min(...rests)).toBeGreaterThan(0.9)
  // At a bad moment one of them takes long, not most.
  expect(rests.toSorted((one, two) => one - two)[25]).toBeLessThan(5)
})

test('who has not worked, or has just rested, does not rest', () => {
  const clock = new ManualClock()
  const breaks = new ProcessorBreaks(clock, busy, 1)
  const calls = (): number => {
    return msOf(() => {
      for (let call = 0; call < 2000; call++) breaks.take()
    })
  }
  // Each rest takes 1 ms at the least, so 2,000 of them would take 2,000.
  expect(calls()).toBeLessThan(80)
  clock.advance(1)
  breaks.take()
  expect(calls()).toBeLessThan(80)
})

test.each([
  ['who is alone', Int32Array.of(0), 1],
  ['who is told never to', busy, 0],
])('%s does not rest', (_, traffic, restMs) => {
  const clock = new ManualClock()
  const breaks = new ProcessorBreaks(clock, traffic, restMs)
  const took = msOf(() => {
    for (let call = 0; call < 2000; call++) {
      clock.advance(1)
      breaks.take()
    }
  })
  expect(took).toBeLessThan(80)
})

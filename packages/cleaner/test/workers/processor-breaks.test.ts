import { expect, test } from 'vitest'
import { ProcessorBreaks } from '../../src/workers/processor-breaks.ts'

function msOf(action: () => void): number {
  const startedMs = performance.now()
  action()
  return performance.now() - startedMs
}

function compute(ms: number): void {
  const untilMs = performance.now() + ms
  while (performance.now() < untilMs);
}

test('who has worked for a while rests', () => {
  const breaks = new ProcessorBreaks()
  for (let round = 0; round < 20; round++) {
    compute(0.6)
    expect(msOf(() => breaks.take())).toBeGreaterThan(0.04)
  }
})

test('who has just rested does not rest again', () => {
  const breaks = new ProcessorBreaks()
  compute(0.6)
  breaks.take()
  // A rest takes 0.05 ms at the least, so a thousand of them would take 50.
  const calls = msOf(() => {
    for (let call = 0; call < 1000; call++) breaks.take()
  })
  expect(calls).toBeLessThan(40)
})

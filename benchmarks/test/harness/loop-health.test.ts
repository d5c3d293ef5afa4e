import { expect, test } from 'vitest'
import { LoopHealth } from '../../src/harness/loop-health.ts'

test('a loop that was blocked was busy, and its timers were late', () => {
  const health = new LoopHealth()
  const until = performance.now() + 30
  while (performance.now() < until) Math.sqrt(until)
  const seen = health.stop()
  expect(seen['timer late, p99 ms']).toBeGreaterThan(25)
})

test('a loop that waits is not busy', async () => {
  const health = new LoopHealth()
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect(health.stop()['loop busy']).toBeLessThan(0.9)
})

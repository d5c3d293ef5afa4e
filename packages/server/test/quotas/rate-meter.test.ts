import { expect, test } from 'vitest'
import { RateMeter } from '../../src/quotas/rate-meter.ts'

test('what comes counts for ten seconds and the one that runs, and then no more', () => {
  const meter = new RateMeter()
  meter.count(500, 100_000)
  expect(meter.sum(100_000)).toBe(500)
  expect(meter.rate(100_000)).toBe(50)
  expect(meter.sum(110_999)).toBe(500)
  expect(meter.sum(111_000)).toBe(0)
})

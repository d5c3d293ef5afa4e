import { expect, test } from 'vitest'
import { QuotaMeter } from '../../src/quotas/quota-meter.ts'

test('a meter says what was used lately, and how long somebody was held back on average', () => {
  const meter = new QuotaMeter('producer_byte_rate', { user: 'u', clientId: '' })
  meter.take(1500, 100, 100_000)
  meter.throttled(100, 100_000)
  meter.throttled(300, 101_000)
  expect(meter.rate(100_000)).toBe(150)
  expect(meter.throttleMs(101_000)).toBe(200)
  expect(meter.bucket.excessMs(100, 100_000)).toBe(5000)
  expect([meter.rate(120_000), meter.throttleMs(120_000)]).toEqual([0, 0])
})

test('a debt of time is let be after ten seconds, one of bytes is paid', () => {
  const of = (name: 'request_percentage' | 'producer_byte_rate') => {
    const meter = new QuotaMeter(name, { user: 'u', clientId: '' })
    meter.take(1_000_000, 1, 100_000)
    return meter.bucket.excessMs(1, 100_000)
  }
  expect(of('request_percentage')).toBe(10_000)
  expect(of('producer_byte_rate')).toBe(999_990_000)
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LatencyHistogram } from '../../src/measuring/latency-histogram.ts'

const seed = Number(process.env['VARVE_SEED'] ?? 20_261)

test('a percentile is never off by more than a thousandth', () => {
  const latencies = fc.array(fc.double({ min: 1e-6, max: 4e6, noNaN: true }), { minLength: 1 })
  fc.assert(
    fc.property(latencies, fc.double({ min: 0, max: 100, noNaN: true }), (given, percent) => {
      const histogram = new LatencyHistogram()
      for (const latency of given) histogram.record(latency)
      const sorted = given.toSorted((a, b) => a - b)
      const rank = Math.max(1, Math.ceil((percent / 100) * given.length - 1e-9))
      const exact = sorted[rank - 1] ?? Number.NaN
      const told = histogram.percentileMs(percent)
      // Rounded to nanoseconds first, and then up to the end of its bucket.
      expect(Math.abs(told - exact)).toBeLessThanOrEqual(exact * 0.001 + 2e-6)
    }),
    { seed, numRuns: 300 },
  )
})

test('counts, mean and maximum are exact', () => {
  const histogram = new LatencyHistogram()
  for (const latency of [0.5, 1.5, 4]) histogram.record(latency)
  expect(histogram.figures()).toMatchObject({ count: 3, meanMs: 2, maxMs: 4 })
})

test('an empty one has zeros, and clearing empties it', () => {
  const histogram = new LatencyHistogram()
  histogram.record(3)
  histogram.clear()
  expect(histogram.figures()).toEqual(new LatencyHistogram().figures())
  expect(histogram.percentileMs(99)).toBe(0)
})

test('adding is as if all had been recorded in one', () => {
  const [one, other, both] = [1, 2, 3].map(() => new LatencyHistogram())
  for (let at = 1; at <= 2000; at++) {
    const latency = (at * at) / 1000
    ;(at % 3 === 0 ? one : other)?.record(latency)
    both?.record(latency)
  }
  if (other !== undefined) one?.add(other)
  expect(one?.counts).toEqual(both?.counts)
  expect(one?.figures().p999Ms).toBe(both?.figures().p999Ms)
})

test('what takes longer than an hour counts as long, and below nothing as none', () => {
  const histogram = new LatencyHistogram()
  histogram.record(1e12)
  histogram.record(-1)
  const { counts } = histogram
  expect(counts.at(0)).toBe(1)
  expect(counts.at(-1)).toBe(1)
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2)
  expect(histogram.percentileMs(1)).toBeLessThan(0.001)
})

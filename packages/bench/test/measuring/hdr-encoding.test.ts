import fc from 'fast-check'
import hdr from 'hdr-histogram-js'
import { expect, test } from 'vitest'
import { encodeCounts, packCounts } from '../../src/measuring/hdr-encoding.ts'
import { LatencyHistogram } from '../../src/measuring/latency-histogram.ts'

const seed = Number(process.env['VARVE_SEED'] ?? 20_261)

/** What HdrHistogram's own reader makes of what was encoded. */
function decoded({ counts }: LatencyHistogram): hdr.Histogram {
  return hdr.decodeFromCompressedBase64(encodeCounts(packCounts(counts)), 64)
}

test('HdrHistogram decodes what was recorded, in nanoseconds', () => {
  const histogram = new LatencyHistogram()
  for (let at = 1; at <= 1000; at++) histogram.record(at / 10)
  const read = decoded(histogram)
  expect(read.totalCount).toBe(1000)
  expect(read.getValueAtPercentile(50) / 1e6).toBeCloseTo(50, 0)
  expect(read.maxValue / 1e6 / 100).toBeCloseTo(1, 2)
})

test('of any latencies it decodes the same percentiles', () => {
  const latencies = fc.array(fc.double({ min: 0, max: 5e6, noNaN: true }), { minLength: 1 })
  fc.assert(
    fc.property(latencies, fc.nat({ max: 400 }), (given, repeats) => {
      const histogram = new LatencyHistogram()
      for (const latency of given) histogram.record(latency)
      const [first = 0] = given
      for (let at = 0; at < repeats; at++) histogram.record(first)
      const read = decoded(histogram)
      expect(read.totalCount).toBe(given.length + repeats)
      for (const percent of [1, 50, 90, 99]) {
        const told = histogram.percentileMs(percent)
        const difference = Math.abs(read.getValueAtPercentile(percent) / 1e6 - told)
        expect(difference).toBeLessThanOrEqual(told * 0.001 + 2e-6)
      }
    }),
    { seed, numRuns: 200 },
  )
})

test('the largest latency that is told apart, and none at all, can be decoded', () => {
  const histogram = new LatencyHistogram()
  histogram.record(1e12)
  expect(decoded(histogram).totalCount).toBe(1)
  const nothing = new LatencyHistogram()
  expect(packCounts(nothing.counts)).toHaveLength(0)
  expect(decoded(nothing).totalCount).toBe(0)
})

test('packed counts stay as they were when the buckets are used again', () => {
  const histogram = new LatencyHistogram()
  for (let at = 0; at < 5000; at++) histogram.record((at * at) / 1000)
  const packed = packCounts(histogram.counts)
  const before = encodeCounts(packed)
  histogram.clear()
  histogram.record(1)
  packCounts(histogram.counts)
  expect(encodeCounts(packed)).toBe(before)
})

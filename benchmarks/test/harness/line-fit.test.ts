import { expect, test } from 'vitest'
import { fitPowerLaw } from '../../src/harness/line-fit.ts'

test.each([
  [0, 7],
  [1, 0.5],
  [2, 3],
  [-0.5, 100],
])('points on a power law give its exponent back: %d, times %d', (exponent, factor) => {
  const points = [1, 10, 100, 10_000].map((at) => [at, factor * at ** exponent] as const)
  const fitted = fitPowerLaw(points)
  expect(fitted.exponent).toBeCloseTo(exponent, 9)
  expect(fitted.factor).toBeCloseTo(factor, 6)
})

test('points on both sides of a line leave the line where it is', () => {
  const { exponent } = fitPowerLaw([
    [1, 2],
    [10, 10],
    [100, 50],
  ])
  expect(exponent).toBeCloseTo(Math.log10(25) / 2, 9)
})

test('one size says nothing of growth', () => {
  expect(fitPowerLaw([[5, 1]]).exponent).toBeNaN()
})

import { expect, test } from 'vitest'
import { medianOf, spreadOf } from '../../src/measuring/spread.ts'

test('the median is the one in the middle, or the mean of the two', () => {
  expect(medianOf([3, 1, 2])).toBe(2)
  expect(medianOf([4, 1, 2, 3])).toBe(2.5)
  expect(medianOf([])).toBeNaN()
})

test('a spread keeps the samples in the order in which they were taken', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, samples: [3, 1, 2] })
})

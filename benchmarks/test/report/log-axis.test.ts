import { expect, test } from 'vitest'
import { logAxisOf, placeOn } from '../../src/report/log-axis.ts'

test.each([[[1, 8_192]], [[3, 4]], [[5]], [[0.001, 2e7]], [[1, 10, 100]]])(
  'an axis holds its values, and has ticks: %j',
  (values) => {
    const axis = logAxisOf(values)
    for (const value of values) {
      expect(placeOn(axis, value)).toBeGreaterThanOrEqual(0)
      expect(placeOn(axis, value)).toBeLessThanOrEqual(1)
    }
    expect(axis.ticks.length).toBeGreaterThan(1)
    for (const tick of axis.ticks) {
      expect(placeOn(axis, tick)).toBeGreaterThanOrEqual(0)
      expect(placeOn(axis, tick)).toBeLessThanOrEqual(1)
    }
  },
)

test('each decade has the same length', () => {
  const axis = logAxisOf([1, 1_000])
  expect(placeOn(axis, 100) - placeOn(axis, 10)).toBeCloseTo(placeOn(axis, 10) - placeOn(axis, 1))
})

test('nothing that can be drawn gives an axis all the same', () => {
  expect(logAxisOf([0, Number.NaN]).ticks).toEqual([0.1, 1, 10])
})

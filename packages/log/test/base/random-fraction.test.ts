import { expect, test } from 'vitest'
import { randomFraction } from '../../src/base/random-fraction.ts'

test('fractions are of 0 to 1, and no two of a thousand the same', () => {
  const drawn = Array.from({ length: 1_000 }, randomFraction)
  expect(drawn.every((fraction) => fraction >= 0 && fraction < 1)).toBe(true)
  expect(new Set(drawn).size).toBe(1_000)
  expect(drawn.filter((fraction) => fraction < 0.5).length).toBeGreaterThan(350)
  expect(drawn.filter((fraction) => fraction < 0.5).length).toBeLessThan(650)
})

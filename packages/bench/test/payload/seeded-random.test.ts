import { expect, test } from 'vitest'
import { SeededRandom } from '../../src/payload/seeded-random.ts'

test('the same seed gives the same numbers, another seed others', () => {
  const draw = (seed: number): number[] => {
    const random = new SeededRandom(seed)
    return Array.from({ length: 20 }, () => random.integer(1_000_000))
  }
  expect(draw(7)).toEqual(draw(7))
  expect(draw(7)).not.toEqual(draw(8))
})

test('fractions lie in [0, 1) and spread evenly', () => {
  const random = new SeededRandom(1)
  const tenths = new Array<number>(10).fill(0)
  for (let draw = 0; draw < 10_000; draw++) {
    const tenth = Math.floor(random.fraction() * 10)
    tenths[tenth] = (tenths[tenth] ?? Number.NaN) + 1
  }
  for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(150)
})

test('picks each of what there is', () => {
  const random = new SeededRandom(2)
  const picked = new Set(Array.from({ length: 100 }, () => random.pick(['a', 'b', 'c'])))
  expect([...picked].sort()).toEqual(['a', 'b', 'c'])
})

import { describe, expect, test } from 'vitest'
import { type KeyOptions, keysOf } from '../../src/payload/key-distribution.ts'
import { SeededRandom } from '../../src/payload/seeded-random.ts'
import { ZipfNumbers } from '../../src/payload/zipf-numbers.ts'

function draw(options: Partial<KeyOptions>, count: number): string[] {
  const next = keysOf({ distribution: 'uniform', range: 100, seed: 1, ...options })
  return Array.from({ length: count }, () => String(next()))
}

describe('keys', () => {
  test('are null without a distribution', () => {
    expect(draw({ distribution: 'none' }, 3)).toEqual(['null', 'null', 'null'])
  })

  test('come one after the other, and again from the first', () => {
    const keys = draw({ distribution: 'sequential', range: 3 }, 4)
    expect(keys).toEqual(['key-0', 'key-1', 'key-2', 'key-0'])
  })

  test('are of one length, whatever their number', () => {
    const lengths = draw({ range: 1000 }, 500).map(({ length }) => length)
    expect(new Set(lengths)).toEqual(new Set(['key-000'.length]))
  })

  test('uniform ones are as often as each other', () => {
    const keys = draw({ range: 10 }, 10_000)
    for (const key of new Set(keys)) {
      expect(Math.abs(keys.filter((other) => other === key).length - 1000)).toBeLessThan(150)
    }
  })

  test.each([0, -1, 0.5])('a range of %d is refused', (range) => {
    expect(() => keysOf({ distribution: 'zipf', range, seed: 1 })).toThrow(/keyRange/)
  })
})

describe('Zipf numbers', () => {
  test('the n-th is about n^exponent times less often than the first', () => {
    const numbers = new ZipfNumbers(1000, 0.99, new SeededRandom(5))
    const counts = new Array<number>(1000).fill(0)
    const draws = 200_000
    for (let at = 0; at < draws; at++) {
      const number = numbers.next()
      counts[number] = (counts[number] ?? Number.NaN) + 1
    }
    expect(counts.reduce((sum, count) => sum + count)).toBe(draws)
    const weights = counts.map((_, rank) => (rank + 1) ** -0.99)
    const all = weights.reduce((sum, weight) => sum + weight)
    for (const rank of [0, 1, 2, 9, 99]) {
      const expected = ((weights[rank] ?? 0) / all) * draws
      expect((counts[rank] ?? 0) / expected).toBeGreaterThan(0.8)
      expect((counts[rank] ?? 0) / expected).toBeLessThan(1.2)
    }
  })

  test('a range of one has one number, and the largest range needs no time', () => {
    expect(new ZipfNumbers(1, 0.99, new SeededRandom(5)).next()).toBe(0)
    const large = new ZipfNumbers(2 ** 40, 0.99, new SeededRandom(5))
    for (let at = 0; at < 1000; at++) {
      const number = large.next()
      expect(number >= 0 && number < 2 ** 40).toBe(true)
    }
  })
})

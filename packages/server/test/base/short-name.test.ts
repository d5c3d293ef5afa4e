import { expect, test } from 'vitest'
import { shortName } from '../../src/base/short-name.ts'

test('names that topics can have stand for themselves', () => {
  expect(shortName('x'.repeat(256))).toBe('x'.repeat(256))
})

test('longer names are told apart by something short', () => {
  const names = [257, 258, 30_000].map((length) => 'x'.repeat(length))
  const short = names.map(shortName)
  expect(new Set(short).size).toBe(3)
  for (const name of short) expect(name.length).toBeLessThan(60)
})

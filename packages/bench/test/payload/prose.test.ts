import { expect, test } from 'vitest'
import { prose } from '../../src/payload/prose.ts'
import { SeededRandom } from '../../src/payload/seeded-random.ts'

test('sentences begin with a capital, end with a full stop, and are ASCII', () => {
  const text = prose(new SeededRandom(3), 20_000)
  expect(text).toHaveLength(20_000)
  expect(text).toMatch(/^[\x20-\x7e]+$/)
  const sentences = text.split('. ').slice(0, -1)
  expect(sentences.length).toBeGreaterThan(100)
  for (const sentence of sentences) expect(sentence).toMatch(/^[A-Z][a-z]*[ ,]?/)
})

test('a few words are common, and most of them rare', () => {
  const text = prose(new SeededRandom(3), 200_000).toLowerCase()
  const counts = new Map<string, number>()
  for (const word of text.match(/[a-z]+/g) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1)
  const sorted = [...counts.values()].toSorted((a, b) => b - a)
  expect(counts.size).toBeGreaterThan(1000)
  expect(sorted[0]).toBeGreaterThan(20 * (sorted[300] ?? 0))
})

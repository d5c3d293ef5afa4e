import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { jsonEvent } from '../../src/payload/json-event.ts'
import { SeededRandom } from '../../src/payload/seeded-random.ts'

test.each([120, 1024, 10_240])('an event of %i characters is JSON of that size', (size) => {
  const text = jsonEvent(new SeededRandom(3), 17, size)
  expect(text).toHaveLength(size)
  expect(JSON.parse(text)).toMatchObject({ at: expect.any(Number), note: expect.any(String) })
})

test('one that is too short for JSON still has its size', () => {
  expect(jsonEvent(new SeededRandom(3), 0, 10)).toHaveLength(10)
})

test('events differ, and compress as events do', () => {
  const random = new SeededRandom(3)
  const events = Array.from({ length: 200 }, (_, index) => jsonEvent(random, index, 500))
  expect(new Set(events).size).toBe(200)
  const ratio = gzipSync(events.join('')).length / (200 * 500)
  expect(ratio).toBeGreaterThan(0.1)
  expect(ratio).toBeLessThan(0.35)
})

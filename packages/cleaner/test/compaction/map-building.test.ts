import { expect, test } from 'vitest'
import { appendPairs, compactAll, contentOf, makeLog } from './compaction-fixture.ts'

test('keys that do not fit in the map take several rounds', async () => {
  const log = await makeLog({ segmentBytes: 1000 })
  const pairs = Array.from({ length: 200 }, (_, index) => [`k${index % 40}`, `${index}`] as const)
  await appendPairs(log, ...pairs)
  const { rounds, stats } = await compactAll(log, { mapBytes: 200 })
  expect(rounds).toBeGreaterThan(3)
  expect(stats.mapBytes).toBeLessThanOrEqual(200)
  expect(stats.inputRecords).toBe(200)
  const expected = Array.from(
    { length: 40 },
    (_, index) => `${160 + index} k${index}=${160 + index}`,
  )
  const left = await contentOf(log)
  expect(left.filter((line) => !line.endsWith('empty'))).toEqual(expected)
  expect(stats.outputRecords).toBe(40)
})

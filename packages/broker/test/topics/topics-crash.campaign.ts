import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { checkTopicCrashes } from './topics-crash.test.ts'

test('whenever the power is cut, a change to topics is whole or not there', async () => {
  const seed = seedFromEnvironment('crash campaign, topics')
  const random = new Random(seed)
  let opened = 0
  while (opened < 5000) opened += await checkTopicCrashes(random.next(), 6, 1)
  process.stdout.write(`topics: ${opened} states, VARVE_SEED=${seed}\n`)
  expect(opened).toBeGreaterThanOrEqual(5000)
})

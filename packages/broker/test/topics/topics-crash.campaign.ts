import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { campaignShare, scaled } from '../../../record/test/campaign-scale.ts'
import { checkTopicCrashes } from './topics-crash.test.ts'

test('whenever the power is cut, a change to topics is whole or not there', async () => {
  const seed = seedFromEnvironment('crash campaign, topics')
  const random = new Random(seed)
  let opened = 0
  while (opened < scaled(5000)) {
    opened += await checkTopicCrashes(random.next(), 6, campaignShare)
  }
  process.stdout.write(`topics: ${opened} states, VARVE_SEED=${seed}\n`)
  expect(opened).toBeGreaterThanOrEqual(scaled(5000))
})

import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { campaignShare, scaled } from '../../../record/test/campaign-scale.ts'
import { checkQueueCrashes } from './queue-crash.test.ts'

test('whatever the crash, a queue loses nothing, and nothing that is finished comes back', async () => {
  const seed = seedFromEnvironment('crash campaign, queues')
  const random = new Random(seed)
  let [cuts, kills] = [0, 0]
  while (cuts < scaled(8000)) {
    cuts += await checkQueueCrashes(random.next(), campaignShare, 'cut')
  }
  while (kills < scaled(2000)) {
    kills += await checkQueueCrashes(random.next(), campaignShare, 'kill')
  }
  process.stdout.write(`queues: ${cuts} power cuts, ${kills} kills, VARVE_SEED=${seed}\n`)
  expect(cuts + kills).toBeGreaterThanOrEqual(scaled(10_000))
})

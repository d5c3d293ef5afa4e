import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { campaignShare, scaled } from '../../../record/test/campaign-scale.ts'
import { checkGroupCrashes } from './group-crash.test.ts'

test('whatever the crash, a group goes on where it has committed, and loses nothing', async () => {
  const seed = seedFromEnvironment('crash campaign, groups')
  const random = new Random(seed)
  let [cuts, kills] = [0, 0]
  while (cuts < scaled(8000)) {
    cuts += await checkGroupCrashes(random.next(), campaignShare, 'cut')
  }
  while (kills < scaled(2000)) {
    kills += await checkGroupCrashes(random.next(), campaignShare, 'kill')
  }
  process.stdout.write(`groups: ${cuts} power cuts, ${kills} kills, VARVE_SEED=${seed}\n`)
  expect(cuts + kills).toBeGreaterThanOrEqual(scaled(10_000))
})

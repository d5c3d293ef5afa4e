import { test } from 'vitest'
import { fuzzCampaign } from './fuzz/fuzz-campaign.ts'
import { recordTargets } from './fuzz/record-targets.ts'

test('a million hostile inputs end in records or a typed error', async () => {
  await fuzzCampaign('fuzz of the record package', recordTargets, 1_000_000)
})

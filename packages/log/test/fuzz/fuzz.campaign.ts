import { test } from 'vitest'
import { fuzzCampaign } from '../../../record/test/fuzz/fuzz-campaign.ts'
import { directoryTarget } from './directory-target.ts'
import { fileTargets } from './file-targets.ts'

test('a million hostile files end in what they hold or a typed error', async () => {
  await fuzzCampaign('fuzz of the files of a log', fileTargets, 1_000_000)
})

test('thousands of hostile data directories open, or fail to with a typed error', async () => {
  await fuzzCampaign('fuzz of data directories', [await directoryTarget()], 6_000)
})

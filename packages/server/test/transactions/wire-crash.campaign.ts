import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { campaignShare, scaled } from '../../../record/test/campaign-scale.ts'
import { checkWireCrashes } from './wire-crash.test.ts'

test('whenever the power is cut, a transaction over the wire counts everywhere or nowhere', async () => {
  const seed = seedFromEnvironment('crash campaign, transactions over the wire')
  const random = new Random(seed)
  let opened = 0
  while (opened < scaled(10_000)) {
    opened += await checkWireCrashes(random.next(), 6, campaignShare)
  }
  process.stdout.write(`transactions over the wire: ${opened} states, VARVE_SEED=${seed}\n`)
  expect(opened).toBeGreaterThanOrEqual(scaled(10_000))
})

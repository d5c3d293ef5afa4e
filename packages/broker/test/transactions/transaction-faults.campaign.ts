import { seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { campaignShare } from '../../../record/test/campaign-scale.ts'
import { checkTransactionFaults } from './transaction-faults.test.ts'

test('whichever call of the file system fails, a transaction is whole or not there', async () => {
  const seed = seedFromEnvironment('fault campaign, transactions')
  const hits = await checkTransactionFaults(seed, campaignShare)
  process.stdout.write(`transactions: ${hits} faults, VARVE_SEED=${seed}\n`)
  expect(hits).toBeGreaterThan(campaignShare < 1 ? 50 * campaignShare : 100)
})

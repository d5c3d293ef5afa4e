import { seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { checkTransactionFaults } from './transaction-faults.test.ts'

test('whichever call of the file system fails, a transaction is whole or not there', async () => {
  const seed = seedFromEnvironment('fault campaign, transactions')
  const hits = await checkTransactionFaults(seed, 1)
  process.stdout.write(`transactions: ${hits} faults, VARVE_SEED=${seed}\n`)
  expect(hits).toBeGreaterThan(100)
})

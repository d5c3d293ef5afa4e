import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { checkTransactionCrashes } from './transaction-crash.test.ts'

test('whenever the power is cut, a transaction counts everywhere or nowhere', async () => {
  const seed = seedFromEnvironment('crash campaign, transactions')
  const random = new Random(seed)
  let opened = 0
  while (opened < 10_000) opened += await checkTransactionCrashes(random.next(), 6, 1)
  process.stdout.write(`transactions: ${opened} states, VARVE_SEED=${seed}\n`)
  expect(opened).toBeGreaterThanOrEqual(10_000)
})

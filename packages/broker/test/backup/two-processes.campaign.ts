import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { scaled } from '../../../record/test/campaign-scale.ts'
import { checkBesideWriter } from './two-processes.ts'

test('hundreds of backups beside a process that does everything at once fit together', async () => {
  const random = new Random(seedFromEnvironment('campaign of backups beside a writer'))
  let [taken, transactions] = [0, 0]
  while (taken < scaled(300)) {
    const done = await checkBesideWriter(random, 25)
    taken += 25
    transactions += done['transactions'] ?? 0
  }
  process.stdout.write(`${taken} backups beside ${transactions} transactions\n`)
  expect(taken).toBeGreaterThanOrEqual(scaled(300))
}, 900_000)

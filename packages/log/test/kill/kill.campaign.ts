import { expect, test } from 'vitest'
import { scaled } from '../../../record/test/campaign-scale.ts'
import { seedFromEnvironment } from '../../src/testing/random.ts'
import { killAgainAndAgain } from './kill-run.ts'

// Needs compiled code: `npx tsc -b` first.
test('two hundred processes are killed, and nothing that they were told was untrue', async () => {
  const seed = seedFromEnvironment('kill.campaign.ts')
  const counts = await killAgainAndAgain(scaled(200), seed)
  process.stdout.write(`${JSON.stringify(counts)}, VARVE_SEED=${seed}\n`)
  expect(counts.compactions).toBeGreaterThan(0)
  expect(counts.deletions).toBeGreaterThan(0)
})

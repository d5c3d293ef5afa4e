import { seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { campaignScale, scaled } from '../../../record/test/campaign-scale.ts'
import { liveAndCompact } from './live-and-compact.ts'

test('whatever is appended, and wherever it crashes, the latest values are left', async () => {
  const seed = seedFromEnvironment('compaction campaign')
  const counts = await liveAndCompact(seed, scaled(120), { steps: 120, crashes: 6 })
  process.stdout.write(`compaction campaign: ${JSON.stringify(counts)}, VARVE_SEED=${seed}\n`)
  expect(counts.compactions).toBeGreaterThan(scaled(500))
  expect(counts.crashes).toBeGreaterThan(scaled(2500))
  // Few lives differ much in what they come to.
  if (campaignScale < 1) return
  expect(counts.compactions).toBeGreaterThan(1000)
  expect(counts.crashes).toBeGreaterThan(5000)
  expect(counts.expired).toBeGreaterThan(1000)
  expect(counts.retained).toBeGreaterThan(100)
}, 1_200_000)

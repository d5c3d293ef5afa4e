import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { crashBackup, faultBackup } from './backup-crash.ts'

test('after a power cut at any moment the repository is clean, and a rerun finishes', async () => {
  const seed = seedFromEnvironment('crashes of a backup')
  const states = await crashBackup('incremental', seed, { variants: 3, rerunEvery: 20 })
  expect(states).toBeGreaterThan(50)
})

test('when a call fails a backup is whole or does not exist, and a rerun finishes', async () => {
  const random = new Random(seedFromEnvironment('faults of a backup'))
  let hits = 0
  for (let round = 0; round < 40; round++) {
    const kind = random.pick(['EIO', 'ENOSPC', 'short'] as const)
    const fault = { kind, after: random.int(400), isLasting: random.bool(0.3) }
    hits += (await faultBackup('incremental', fault)) ?? 0
  }
  expect(hits).toBeGreaterThan(5)
})

import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { campaignShare } from '../../../record/test/campaign-scale.ts'
import { crashBackup, faultBackup } from './backup-crash.ts'

const kinds = ['full', 'incremental', 'differential'] as const
/** A part is drawn, and may be smaller. */
const fewest = campaignShare < 1 ? 250 * campaignShare : 500

test.each(kinds)(
  'after a power cut at any moment of one that is %s the repository is clean',
  async (kind) => {
    const seed = seedFromEnvironment(`crashes of a backup, ${kind}`)
    const options = { variants: 6, rerunEvery: 5, share: campaignShare }
    const states = await crashBackup(kind, seed, options)
    process.stdout.write(`${kind}: ${states} states\n`)
    expect(states).toBeGreaterThan(fewest)
  },
  900_000,
)

test.each(kinds)(
  'when any call fails one that is %s is whole or does not exist',
  async (backup) => {
    const seed = seedFromEnvironment(`faults of a backup, ${backup}`)
    const random = new Random(seed)
    let hits = 0
    for (const kind of ['EIO', 'ENOSPC', 'short'] as const) {
      for (const isLasting of [false, true]) {
        for (let after = 0; ; after++) {
          if (!random.bool(campaignShare)) continue
          const found = await faultBackup(backup, { kind, after, isLasting })
          if (found === null) break
          hits += found
        }
      }
    }
    process.stdout.write(`${backup}: ${hits} faults\n`)
    expect(hits).toBeGreaterThan(fewest)
  },
  900_000,
)

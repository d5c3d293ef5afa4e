import { seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { crashBackup, faultBackup } from './backup-crash.ts'

const kinds = ['full', 'incremental', 'differential'] as const

test.each(kinds)(
  'after a power cut at any moment of one that is %s the repository is clean',
  async (kind) => {
    const seed = seedFromEnvironment(`crashes of a backup, ${kind}`)
    const states = await crashBackup(kind, seed, { variants: 6, rerunEvery: 5 })
    process.stdout.write(`${kind}: ${states} states\n`)
    expect(states).toBeGreaterThan(500)
  },
  900_000,
)

test.each(kinds)(
  'when any call fails one that is %s is whole or does not exist',
  async (backup) => {
    let hits = 0
    for (const kind of ['EIO', 'ENOSPC', 'short'] as const) {
      for (const isLasting of [false, true]) {
        for (let after = 0; ; after++) {
          const found = await faultBackup(backup, { kind, after, isLasting })
          if (found === null) break
          hits += found
        }
      }
    }
    process.stdout.write(`${backup}: ${hits} faults\n`)
    expect(hits).toBeGreaterThan(500)
  },
  900_000,
)

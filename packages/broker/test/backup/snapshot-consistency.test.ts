import { seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { checkSnapshots } from './snapshot-consistency.ts'

test.each(['live', 'directory'] as const)(
  'snapshots of a directory in use fit together: %s',
  async (kind) => {
    const seed = seedFromEnvironment(`snapshots, ${kind}`)
    expect(await checkSnapshots(kind, seed, 6)).toBe(6)
  },
)

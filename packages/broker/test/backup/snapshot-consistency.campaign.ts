import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { checkSnapshots } from './snapshot-consistency.ts'

test.each(['live', 'directory'] as const)(
  'hundreds of snapshots of a directory in use fit together: %s',
  async (kind) => {
    const seed = seedFromEnvironment(`snapshots campaign, ${kind}`)
    const random = new Random(seed)
    let taken = 0
    while (taken < 300) taken += await checkSnapshots(kind, random.next(), 25)
    process.stdout.write(`${kind}: ${taken} snapshots\n`)
    expect(taken).toBeGreaterThanOrEqual(300)
  },
  900_000,
)

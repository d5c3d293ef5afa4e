import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { scaled } from '../../../record/test/campaign-scale.ts'
import { checkSnapshots } from './snapshot-consistency.ts'

test.each(['live', 'directory'] as const)(
  'hundreds of snapshots of a directory in use fit together: %s',
  async (kind) => {
    const seed = seedFromEnvironment(`snapshots campaign, ${kind}`)
    const random = new Random(seed)
    let taken = 0
    while (taken < scaled(300)) taken += await checkSnapshots(kind, random.next(), 25)
    process.stdout.write(`${kind}: ${taken} snapshots\n`)
    expect(taken).toBeGreaterThanOrEqual(scaled(300))
  },
  900_000,
)

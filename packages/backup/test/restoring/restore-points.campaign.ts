import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { scaled } from '../../../record/test/campaign-scale.ts'
import { PointOracle } from './point-oracle.ts'

test('a thousand random offsets and moments are restored to the record', async () => {
  const random = new Random(seedFromEnvironment('restore points'))
  for (let round = 0; round < scaled(20); round++) {
    const oracle = await PointOracle.make(random)
    for (let count = 0; count < 50; count++) await oracle.check(random)
    expect(oracle.scene.fs.openFiles()).toEqual([])
  }
})

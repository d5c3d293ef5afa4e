import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { PointOracle } from './point-oracle.ts'

test('random offsets and moments are restored to the record', async () => {
  const random = new Random(seedFromEnvironment('restore points'))
  const oracle = await PointOracle.make(random)
  for (let count = 0; count < 60; count++) await oracle.check(random)
  expect(oracle.scene.fs.openFiles()).toEqual([])
})

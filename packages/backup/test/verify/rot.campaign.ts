import { Random, seedFromEnvironment } from '@varve/log/testing'
import { describe, test } from 'vitest'
import { campaignShare } from '../../../record/test/campaign-scale.ts'
import { RottingRepository } from './rot.ts'

describe.each([
  ['a repository', false],
  ['an encrypted repository', true],
])('%s', (name, isEncrypted) => {
  test('that rots: every file that is damaged is named, and none is restored from', async () => {
    const random = new Random(seedFromEnvironment(`rot in ${name}`))
    const rotting = await RottingRepository.make(random, isEncrypted)
    for (let round = 0; round < 5; round++) {
      for (const key of rotting.keys) {
        if (random.bool(campaignShare)) await rotting.check(key, random)
      }
    }
  })
})

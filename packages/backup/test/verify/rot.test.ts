import { Random, seedFromEnvironment } from '@varve/log/testing'
import { describe, expect, test } from 'vitest'
import { inlineDecoder } from '../../src/reading/object-decoder.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { RottingRepository } from './rot.ts'

describe.each([
  ['a repository', false],
  ['an encrypted repository', true],
])('%s', (name, isEncrypted) => {
  test('that rots: every file that is damaged is named, and none is restored from', async () => {
    const random = new Random(seedFromEnvironment(`rot in ${name}`))
    const rotting = await RottingRepository.make(random, isEncrypted)
    const { keys, scene } = rotting
    const { repository, clock } = scene
    const sound = await verifyRepository(repository, { decoder: inlineDecoder(), clock })
    expect(sound.findings).toEqual([])
    // Some of each kind.
    const chosen = random
      .shuffle(keys)
      .filter((key, index) => index < 25 || !key.includes('objects/'))
    for (const key of chosen) await rotting.check(key, random)
  })
})

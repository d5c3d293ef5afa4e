import { seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { liveAtRandom } from './random-life.ts'

test('whatever happens to topics between backups, each restores what was there', async () => {
  const seed = seedFromEnvironment('a random life of backups')
  expect(await liveAtRandom(seed, 4)).toBeGreaterThan(4)
})

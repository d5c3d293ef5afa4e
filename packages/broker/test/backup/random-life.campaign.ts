import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { scaled } from '../../../record/test/campaign-scale.ts'
import { liveAtRandom } from './random-life.ts'

test('hundreds of backups of directories to which anything happens restore what was there', async () => {
  const random = new Random(seedFromEnvironment('campaign of random lives of backups'))
  let restored = 0
  for (let run = 0; run < scaled(50); run++) restored += await liveAtRandom(random.next(), 4)
  process.stdout.write(`${restored} backups restored\n`)
  expect(restored).toBeGreaterThan(4 * scaled(50))
}, 900_000)

import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { checkGroupCrashes } from './group-crash.test.ts'

test('whatever the crash, a group goes on where it has committed, and loses nothing', async () => {
  const seed = seedFromEnvironment('crash campaign, groups')
  const random = new Random(seed)
  let [cuts, kills] = [0, 0]
  while (cuts < 8000) cuts += await checkGroupCrashes(random.next(), 1, 'cut')
  while (kills < 2000) kills += await checkGroupCrashes(random.next(), 1, 'kill')
  process.stdout.write(`groups: ${cuts} power cuts, ${kills} kills, VARVE_SEED=${seed}\n`)
  expect(cuts + kills).toBeGreaterThanOrEqual(10_000)
})

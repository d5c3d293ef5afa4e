import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { checkQueueCrashes } from './queue-crash.test.ts'

test('whatever the crash, a queue loses nothing, and nothing that is finished comes back', async () => {
  const seed = seedFromEnvironment('crash campaign, queues')
  const random = new Random(seed)
  let [cuts, kills] = [0, 0]
  while (cuts < 8000) cuts += await checkQueueCrashes(random.next(), 1, 'cut')
  while (kills < 2000) kills += await checkQueueCrashes(random.next(), 1, 'kill')
  process.stdout.write(`queues: ${cuts} power cuts, ${kills} kills, VARVE_SEED=${seed}\n`)
  expect(cuts + kills).toBeGreaterThanOrEqual(10_000)
})

import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { checkBesideWriter } from './two-processes.ts'

test('backups of a directory in which another process does everything at once fit together', async () => {
  const random = new Random(seedFromEnvironment('backups beside a writer'))
  const done = await checkBesideWriter(random, 5)
  expect(done['keyed']).toBeGreaterThan(5)
})

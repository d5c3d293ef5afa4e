import { writeFileSync } from 'node:fs'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { workerThreads } from '../../src/base/worker-threads.ts'

test('threads run a file, and end when they are told to', async () => {
  using temporary = makeTemporaryDirectory()
  const file = `${temporary.path}/worker.mjs`
  writeFileSync(file, 'export const twice = (number) => 2 * number\n')
  const pool = workerThreads(file, 1)
  expect(await pool.run(21, { name: 'twice' })).toBe(42)
  await pool.destroy()
})

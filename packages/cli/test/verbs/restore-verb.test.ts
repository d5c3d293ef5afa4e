import { expect, test } from 'vitest'
import { run } from '../captured-io.ts'

test('a repository is asked for, unless a restore is undone', async () => {
  const { code, err } = await run('restore', '--to', './data')
  expect([code, err]).toEqual([2, expect.stringContaining('Which repository?')])
  // It is understood, and there is nothing to undo.
  expect((await run('restore', '--undo', '--to', './nowhere')).code).toBe(3)
})

test('the help has examples', async () => {
  const { out } = await run('restore', '--help')
  expect(out).toContain('varve restore ./backups --to ./restored')
})

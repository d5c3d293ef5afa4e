import { expect, test } from 'vitest'
import { run } from '../captured-io.ts'

const actions = [
  ...['init', 'run', 'schedule', 'list', 'show', 'verify', 'prune', 'hold', 'release', 'mirror'],
  ...['drill', 'follow', 'audit', 'export', 'import', 'heal'],
]

test.each(actions)('varve backup %s says what it is for, with an example', async (action) => {
  const { code, out } = await run('backup', action, '--help')
  expect(code).toBe(0)
  expect(out).toContain(`varve backup ${action}`)
  expect(out).toContain('Examples:')
})

test('the help of the verb names every action', async () => {
  const { out } = await run('backup', '--help')
  for (const action of [...actions, 'keys']) expect(out).toContain(`varve backup ${action}`)
})

test('a full backup is not differential at the same time', async () => {
  const { code, err } = await run(
    'backup',
    'run',
    './data',
    './backups',
    '--full',
    '--differential',
  )
  expect([code, err]).toEqual([2, expect.stringContaining('differential')])
})

test('an action is asked for', async () => {
  expect((await run('backup')).code).toBe(2)
  expect((await run('backup', 'nothing')).code).toBe(2)
})

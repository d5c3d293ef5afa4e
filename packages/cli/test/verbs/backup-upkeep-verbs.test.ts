import { expect, test } from 'vitest'
import { run } from '../captured-io.ts'

test('what must be said has to be said', async () => {
  expect((await run('backup', 'drill', './backups')).err).toContain('scratch')
  expect((await run('backup', 'mirror', './backups')).code).toBe(2)
  expect((await run('backup', 'hold', './backups')).code).toBe(2)
})

test('time spans of options are checked before anything is opened', async () => {
  const { code, err } = await run('backup', 'follow', './data', './backups', '--interval', '1')
  expect([code, err]).toEqual([2, expect.stringContaining('interval')])
})

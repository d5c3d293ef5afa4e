import { expect, test } from 'vitest'
import { run } from '../captured-io.ts'

test.each(['list', 'create orders', 'describe orders', 'delete orders'])(
  'topic %s: a directory or a server has to be named, and not both',
  async (action) => {
    const verb = ['topic', ...action.split(' ')]
    expect((await run(...verb)).code).toBe(2)
    const both = ['--data', 'd', '--bootstrap-server', 'localhost:1']
    expect((await run(...verb, ...both)).code).toBe(2)
    const { code, err } = await run(...verb, '--data', 'd', '--command-config', 'c.properties')
    expect(code).toBe(2)
    expect(err).toContain('--bootstrap-server')
  },
)

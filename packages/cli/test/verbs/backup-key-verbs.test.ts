import { expect, test } from 'vitest'
import { run } from '../captured-io.ts'

test.each(['list', 'add', 'remove', 'export-writer', 'export-reader'])(
  'varve backup keys %s says what it is for, with an example',
  async (action) => {
    const { code, out } = await run('backup', 'keys', action, '--help')
    expect(code).toBe(0)
    expect(out).toContain(`varve backup keys ${action}`)
    expect(out).toContain('Examples:')
  },
)

import { startServer } from '@varve/server'
import { expect, test } from 'vitest'
import { run } from '../captured-io.ts'
import { makeGroupData } from '../group-fixture.ts'

test('groups of a server are shown as those of a directory, reset and deleted', async () => {
  const data = await makeGroupData()
  const local = await run('group', 'list', '--data', data)
  await using server = await startServer({ data, port: 0 })
  const there = ['--bootstrap-server', server.bootstrapServers]
  expect((await run('group', 'list', ...there)).out).toBe(local.out)
  const described = await run('group', 'describe', 'billing', ...there, '--json')
  expect(described.stdout.documents[0]).toMatchObject({
    ...{ group: 'billing', state: 'Empty', members: [], lag: 7, generation: null },
  })
  const shown = await run('group', 'describe', 'billing', ...there)
  expect(shown.out).toContain('billing: Empty, no members\n')
  const reset = ['group', 'reset-offsets', 'billing', '--topic', 'orders:0', '--to', '9', ...there]
  expect((await run(...reset)).out).toContain('would be reset like this')
  expect((await run(...reset, '--yes')).out).toContain('billing: reset')
  expect((await run('group', 'list', ...there, '--json')).stdout.documents[0].lag).toBe(1)
  expect((await run('group', 'delete', 'billing', ...there)).out).toContain('2 committed offsets')
  expect((await run('group', 'delete', 'billing', ...there, '--yes')).out).toContain('deleted')
  const gone = await run('group', 'describe', 'billing', ...there, '--json')
  expect([gone.code, JSON.parse(gone.err).error.code]).toEqual([3, 'VARVE_GROUP_NOT_FOUND'])
})

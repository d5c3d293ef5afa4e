import { makeTemporaryDirectory } from '@varve/log/testing'
import { startServer } from '@varve/server'
import { describe, expect, test } from 'vitest'
import { run } from './captured-io.ts'

const rule = {
  ...{ resourceType: 'topic', resourceName: 'orders', pattern: 'literal' },
  ...{ principal: 'User:alice', host: '*', operation: 'read', permission: 'allow' },
}
const reading = ['--allow-principal', 'User:alice', '--operation', 'Read', '--topic', 'orders']

async function prove(home: readonly string[]): Promise<void> {
  const first = await run('acl', 'add', ...home, ...reading)
  expect(first).toMatchObject({ code: 0, err: expect.stringContaining('first rules') })
  expect(first.out).toBe(
    'PRINCIPAL   HOST  PERMISSION  OPERATION  RESOURCE  NAME    PATTERN\n' +
      'User:alice  *     allow       read       topic     orders  literal\n' +
      '1 rule added\n',
  )
  const prefixed = ['--resource-pattern-type', 'prefixed']
  const denying = ['--deny-principal', 'User:*', '--deny-host', '10.0.0.7', '--topic', 'ord']
  expect(await run('acl', 'add', ...home, ...denying, ...prefixed)).toMatchObject({ err: '' })
  const list = async (...args: readonly string[]) => {
    return (await run('acl', 'list', ...home, ...args, '--json')).stdout.documents
  }
  const denied = {
    ...{ resourceType: 'topic', resourceName: 'ord', pattern: 'prefixed' },
    ...{ principal: 'User:*', host: '10.0.0.7', operation: 'all', permission: 'deny' },
  }
  expect(await list()).toEqual([denied, rule])
  expect(await list('--topic', 'orders')).toEqual([denied, rule])
  expect(await list('--topic', 'orders', '--resource-pattern-type', 'literal')).toEqual([rule])
  expect(await list('--principal', 'User:alice')).toEqual([rule])
  expect(await list('--topic', 'other')).toEqual([])
  const planned = await run('acl', 'remove', ...home, '--principal', 'User:alice')
  expect(planned.out).toContain('1 rule would go. Run it again with --yes.')
  expect(await list()).toHaveLength(2)
  const removed = await run('acl', 'remove', ...home, '--topic', 'orders', '--yes', '--json')
  expect(removed.stdout.documents).toEqual([rule])
  expect(await list()).toEqual([denied])
}

describe('access rules are added, listed and removed', () => {
  test('in a directory that nobody serves', async () => {
    using temporary = makeTemporaryDirectory()
    await prove(['--data', `${temporary.path}/data`])
  })

  test('on a server', async () => {
    const superUsers = ['User:ANONYMOUS']
    await using server = await startServer({ memory: true, port: 0, superUsers })
    await prove(['--bootstrap-server', server.bootstrapServers])
  })
})

test('who may not is told what was refused', async () => {
  await using server = await startServer({ memory: true, port: 0 })
  const there = ['--bootstrap-server', server.bootstrapServers]
  expect((await run('acl', 'add', ...there, ...reading)).code).toBe(0)
  const refused = await run('acl', 'list', ...there)
  expect(refused.code).toBe(3)
  expect(refused.err).toContain('CLUSTER_AUTHORIZATION_FAILED')
  expect(refused.err).toContain('super user')
})

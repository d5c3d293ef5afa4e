import { openVarve } from '@varve/broker'
import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import type { Acl } from '../../src/security/acl.ts'
import { securityOfCluster } from '../../src/security/cluster-security.ts'
import { startServer } from '../../src/server.ts'

const rule: Acl = {
  ...{ resourceType: 'topic', resourceName: 'orders', pattern: 'prefixed' },
  ...{ principal: 'User:alice', host: '10.0.0.7', operation: 'describeConfigs' },
  permission: 'deny',
}

test('users of a server are administered over the network', async () => {
  await using server = await startServer({ memory: true, port: 0 })
  await using varve = await openVarve(`kafka://${server.bootstrapServers}`)
  const security = securityOfCluster(varve)
  const both = await security.addUser('alice', 'secret', { iterations: 4096 })
  expect(both.credentials).toHaveLength(2)
  expect(server.security.listUsers()).toEqual([both])
  const one = { mechanisms: ['SCRAM-SHA-512' as const], iterations: 5000 }
  const altered = await security.addUser('alice', 'other', one)
  expect(await security.listUsers()).toEqual([altered])
  expect(server.security.listUsers()).toEqual([altered])
  expect(await security.removeUser('alice', ['SCRAM-SHA-256'])).toBe(false)
  expect(await security.removeUser('alice')).toBe(true)
  expect(await security.removeUser('alice')).toBe(false)
  expect(await security.listUsers()).toEqual([])
})

test('what cannot be a user or a rule is refused before anybody is asked', async () => {
  await using server = await startServer({ memory: true, port: 0 })
  await using varve = await openVarve(`kafka://${server.bootstrapServers}`)
  const security = securityOfCluster(varve)
  await expect(security.addUser('alice', '')).rejects.toThrow(InvalidArgumentError)
  await expect(security.addUser('alice', 'x', { iterations: 1 })).rejects.toThrow(/4096/)
  const unnamed = { ...rule, resourceName: '' }
  await expect(security.addAcls([unnamed])).rejects.toThrow(InvalidArgumentError)
})

test('access rules of a server are administered over the network', async () => {
  const superUsers = ['User:ANONYMOUS']
  await using server = await startServer({ memory: true, port: 0, superUsers })
  await using varve = await openVarve(`kafka://${server.bootstrapServers}`)
  const security = securityOfCluster(varve)
  const cluster: Acl = {
    ...{ resourceType: 'cluster', resourceName: 'kafka-cluster', pattern: 'literal', host: '*' },
    ...{ principal: 'User:*', operation: 'all', permission: 'allow' },
  }
  await security.addAcls([rule, cluster])
  expect(server.security.listAcls()).toEqual([rule, cluster])
  expect(await security.listAcls()).toEqual(expect.arrayContaining([rule, cluster]))
  const applying = { resourceType: 'topic', resourceName: 'orders-2', pattern: 'match' } as const
  expect(await security.listAcls(applying)).toEqual([rule])
  expect(await security.listAcls({ host: '10.0.0.8' })).toEqual([])
  const filters = [{ principal: 'User:alice' }, { permission: 'deny' as const }]
  expect(await security.removeAcls(filters)).toEqual([rule])
  expect(await security.listAcls()).toEqual([cluster])
})

test('only what is an open cluster has users over the network', () => {
  expect(() => securityOfCluster({} as never)).toThrow(InvalidArgumentError)
})

import { SimulatedFileSystem } from '@varve/log/testing'
import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { CorruptServerStateError } from '../../src/base/server-errors.ts'
import { ServerState } from '../../src/base/server-state.ts'
import type { Acl } from '../../src/security/acl.ts'
import { AclAuthorizer } from '../../src/security/acl-authorizer.ts'
import { aclFault } from '../../src/security/acl-check.ts'
import { aclCodes, aclFilterOf, aclOf } from '../../src/security/acl-codes.ts'
import { Acls } from '../../src/security/acls.ts'

const caller = { principal: 'User:alice', host: '127.0.0.1' }
const rule: Acl = {
  ...{ resourceType: 'topic', resourceName: 'orders', pattern: 'literal' },
  ...{ principal: 'User:alice', host: '*', operation: 'read', permission: 'allow' },
}

function stateOf(fs: SimulatedFileSystem): ServerState {
  return ServerState.load(fs, '/data')
}

function newFileSystem(): SimulatedFileSystem {
  const fs = new SimulatedFileSystem()
  fs.makeDirectory('/data')
  return fs
}

test('rules are kept, each once, and removed by filters', async () => {
  const fs = newFileSystem()
  const acls = new Acls(stateOf(fs))
  const prefixed: Acl = { ...rule, pattern: 'prefixed', resourceName: 'ord' }
  await acls.add([rule, prefixed, rule])
  await acls.add([rule])
  const again = new Acls(stateOf(fs))
  expect(again.list()).toEqual([rule, prefixed])
  expect(again.list({ resourceName: 'orders', pattern: 'match' })).toEqual([rule, prefixed])
  expect(again.list({ resourceName: 'orders' })).toEqual([rule])
  expect(again.list({ pattern: 'prefixed' })).toEqual([prefixed])
  expect(again.list({ operation: 'write' })).toEqual([])
  expect(await again.remove([{ resourceName: 'ord' }, { principal: 'User:bob' }])).toEqual([
    [prefixed],
    [],
  ])
  expect(new Acls(stateOf(fs)).list()).toEqual([rule])
})

test('everything is allowed until there is any rule, or never without one, as is chosen', async () => {
  const acls = new Acls(stateOf(newFileSystem()))
  const [untilAny, deny, allow] = (['until-any', 'deny', 'allow'] as const).map((without) => {
    return new AclAuthorizer(acls, ['User:admin'], without)
  })
  const answers = (name: string, principal = 'User:alice') =>
    [untilAny, deny, allow].map((one) =>
      one?.allows({ ...caller, principal }, 'read', 'topic', name),
    )
  expect(answers('orders')).toEqual([true, false, true])
  await acls.add([{ ...rule, resourceName: 'other' }])
  expect(answers('orders')).toEqual([false, false, true])
  expect(answers('other')).toEqual([true, true, true])
  expect(answers('other', 'User:bob')).toEqual([false, false, false])
  expect(answers('other', 'User:admin')).toEqual([true, true, true])
  const anything = [untilAny, deny, allow].map((one) => one?.allowsAny(caller, 'write', 'topic'))
  expect(anything).toEqual([false, false, true])
  await acls.remove([{}])
  expect(answers('orders')).toEqual([true, false, true])
})

test.each([
  ['an empty name', { resourceName: '' }],
  ['another cluster', { resourceType: 'cluster', resourceName: 'mine' }],
  [
    'clusters by prefix',
    { resourceType: 'cluster', resourceName: 'kafka-cluster', pattern: 'prefixed' },
  ],
  ['a principal without a type', { principal: 'alice' }],
  ['a principal without a name', { principal: 'User:' }],
  ['a host that is no address', { host: 'example.com' }],
] satisfies [string, Partial<Acl>][])('a rule of %s is refused', async (_, changes) => {
  const acls = new Acls(stateOf(newFileSystem()))
  expect(aclFault({ ...rule, ...changes })).not.toBeNull()
  await expect(acls.add([rule, { ...rule, ...changes }])).rejects.toBeInstanceOf(
    InvalidArgumentError,
  )
  expect(acls.list()).toEqual([])
})

test('rules become numbers and back, and unknown numbers are refused', () => {
  const codes = aclCodes(rule)
  expect(codes).toMatchObject({ resourceType: 2, patternType: 3, operation: 3, permissionType: 3 })
  expect(aclOf(codes)).toEqual(rule)
  for (const field of ['resourceType', 'patternType', 'operation', 'permissionType'] as const) {
    for (const code of [-1, 0, 1, 99])
      expect(aclOf({ ...codes, [field]: code })).toBeTypeOf('string')
  }
  expect(aclOf({ ...codes, patternType: 2 })).toBeTypeOf('string')
  const anything = {
    ...{ resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 1 },
    ...{ principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 },
  }
  expect(aclFilterOf(anything)).toEqual({})
  for (const field of ['resourceTypeFilter', 'patternTypeFilter', 'operation', 'permissionType']) {
    for (const code of [-1, 0, 99])
      expect(aclFilterOf({ ...anything, [field]: code })).toBeTypeOf('string')
  }
})

test('a stored rule that is not understood keeps the server from starting', async () => {
  const state = stateOf(newFileSystem())
  await state.update('acls', () => [{ ...rule, permission: 'perhaps' }])
  expect(() => new Acls(state)).toThrow(CorruptServerStateError)
  await state.update('acls', () => ({ rule }))
  expect(() => new Acls(state)).toThrow(CorruptServerStateError)
})

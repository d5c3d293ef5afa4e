import { expect, test } from 'vitest'
import type { Operation, ResourceType } from '../../src/base/access.ts'
import type { Acl } from '../../src/security/acl.ts'
import { AclIndex } from '../../src/security/acl-index.ts'

const alice = { principal: 'User:alice', host: '10.0.0.1' }
const bob = { principal: 'User:bob', host: '::1' }

function acl(changes: Partial<Acl> = {}): Acl {
  return {
    ...{ resourceType: 'topic', resourceName: 'orders', pattern: 'literal' },
    ...{ principal: 'User:alice', host: '*', operation: 'read', permission: 'allow' },
    ...changes,
  }
}

function judge(
  acls: readonly Acl[],
  name: string,
  { operation = 'read', caller = alice, type = 'topic' }: Partial<Question> = {},
): string {
  return new AclIndex(acls).judge(caller, operation, type, name)
}

interface Question {
  readonly operation: Operation
  readonly caller: typeof alice
  readonly type: ResourceType
}

test('a rule speaks of one name, one operation, one type and one principal', () => {
  expect(judge([acl()], 'orders')).toBe('allowed')
  expect(judge([acl()], 'orders', { operation: 'write' })).toBe('not allowed')
  expect(judge([acl()], 'orders', { caller: bob })).toBe('not allowed')
  expect(judge([acl()], 'orders2')).toBe('silent')
  expect(judge([acl()], 'orders', { type: 'group' })).toBe('silent')
})

test('a prefix speaks of all names that begin with it, a star of all', () => {
  const prefixed = acl({ pattern: 'prefixed', resourceName: 'ord' })
  expect(judge([prefixed], 'orders')).toBe('allowed')
  expect(judge([prefixed], 'ord')).toBe('allowed')
  expect(judge([prefixed], 'or')).toBe('silent')
  expect(judge([acl({ resourceName: '*' })], 'anything')).toBe('allowed')
  expect(judge([acl({ pattern: 'prefixed', resourceName: '*' })], 'anything')).toBe('silent')
})

test('everybody is a principal, and all is an operation', () => {
  expect(judge([acl({ principal: 'User:*' })], 'orders', { caller: bob })).toBe('allowed')
  const all = [acl({ operation: 'all' })]
  expect(judge(all, 'orders', { operation: 'alterConfigs' })).toBe('allowed')
})

test('what denies weighs more than what allows, however exactly either is said', () => {
  const deniesAll = acl({ resourceName: '*', principal: 'User:*', permission: 'deny' })
  const deniesPrefix = acl({ resourceName: 'o', pattern: 'prefixed', permission: 'deny' })
  expect(judge([acl(), deniesAll], 'orders')).toBe('denied')
  expect(judge([deniesPrefix, acl()], 'orders')).toBe('denied')
  expect(judge([acl(), acl({ permission: 'deny', operation: 'all' })], 'orders')).toBe('denied')
  expect(judge([acl(), acl({ permission: 'deny', operation: 'write' })], 'orders')).toBe('allowed')
})

test.each(['read', 'write', 'delete', 'alter', 'all', 'describe'] as const)(
  'who may %s may describe',
  (operation) => {
    expect(judge([acl({ operation })], 'orders', { operation: 'describe' })).toBe('allowed')
  },
)

test('other operations do not imply, and what implies is not denied by being denied', () => {
  const asked = { operation: 'describe' } as const
  expect(judge([acl({ operation: 'create' })], 'orders', asked)).toBe('not allowed')
  expect(judge([acl({ operation: 'describeConfigs' })], 'orders', asked)).toBe('not allowed')
  const deniesRead = acl({ permission: 'deny', operation: 'read' })
  expect(judge([deniesRead, acl({ operation: 'write' })], 'orders', asked)).toBe('allowed')
  const configs = { operation: 'describeConfigs' } as const
  expect(judge([acl({ operation: 'alterConfigs' })], 'orders', configs)).toBe('allowed')
  expect(judge([acl({ operation: 'alter' })], 'orders', configs)).toBe('not allowed')
})

test('hosts are compared as addresses', () => {
  expect(judge([acl({ host: '10.0.0.1' })], 'orders')).toBe('allowed')
  expect(judge([acl({ host: '10.0.0.2' })], 'orders')).toBe('not allowed')
  const long = acl({ principal: 'User:bob', host: '0:0:0:0:0:0:0:1' })
  expect(judge([long], 'orders', { caller: bob })).toBe('allowed')
})

test('some resource of a type is allowed where one rule is not taken back by another', () => {
  const any = (...acls: readonly Acl[]) => new AclIndex(acls).judgeAny(alice, 'read', 'topic')
  const deny = (changes: Partial<Acl>) => acl({ permission: 'deny', ...changes })
  expect(any()).toBe('silent')
  expect(any(acl())).toBe('allowed')
  expect(any(acl({ pattern: 'prefixed', resourceName: 'a' }))).toBe('allowed')
  expect(any(acl(), deny({ resourceName: '*' }))).toBe('denied')
  expect(any(acl(), deny({}))).toBe('not allowed')
  expect(any(acl(), deny({ pattern: 'prefixed', resourceName: 'ord' }))).toBe('not allowed')
  expect(any(acl({ resourceName: '*' }), deny({}))).toBe('allowed')
  expect(any(acl({ operation: 'write' }))).toBe('not allowed')
  expect(any(acl({ host: '10.0.0.9' }))).toBe('not allowed')
})

test('a question does not cost more where there are more rules', () => {
  const acls = Array.from({ length: 20_000 }, (_, index) => {
    return acl({ resourceName: `orders-${index}`, principal: `User:${index % 100}` })
  })
  const index = new AclIndex([
    ...acls,
    ...acls.map((one) => ({ ...one, resourceName: '*' })),
    acl(),
  ])
  const started = process.hrtime.bigint()
  for (let asked = 0; asked < 100_000; asked++) index.judge(alice, 'read', 'topic', 'orders')
  expect(Number(process.hrtime.bigint() - started) / 1e6).toBeLessThan(2000)
})

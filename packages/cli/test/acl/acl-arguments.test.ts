import { describe, expect, test } from 'vitest'
import { aclsOf, type FilterArguments, filtersOf } from '../../src/acl/acl-arguments.ts'

const none: FilterArguments = {
  ...{ topic: [], group: [], transactionalId: [], userPrincipal: [], delegationToken: [] },
  ...{ cluster: false, pattern: 'literal', allowPrincipal: [], denyPrincipal: [], principal: [] },
  ...{ allowHost: [], denyHost: [], operation: [] },
  ...{ producer: false, idempotent: false, consumer: false },
}
const alice = { ...none, allowPrincipal: ['User:alice'] }

function told(given: FilterArguments): readonly string[] {
  return aclsOf(given).map(({ permission, principal, host, operation, resourceType, ...rest }) => {
    const { resourceName, pattern } = rest
    return [permission, principal, host, operation, resourceType, resourceName, pattern].join(' ')
  })
}

describe('rules', () => {
  test('are made of each principal, host and operation, for each resource', () => {
    const operation = ['Read', 'DESCRIBE_CONFIGS', 'idempotent-write']
    const given = { ...alice, topic: ['a', 'b'], allowHost: ['10.0.0.1', '10.0.0.2'], operation }
    expect(aclsOf(given)).toHaveLength(12)
    expect(new Set(aclsOf(given).map((acl) => acl.operation))).toEqual(
      new Set(['read', 'describeConfigs', 'idempotentWrite']),
    )
  })

  test('are of all operations where none is named, and of the one cluster', () => {
    const pattern = 'prefixed' as const
    expect(told({ ...alice, pattern, cluster: true, topic: ['a'] })).toEqual([
      'allow User:alice * all topic a prefixed',
      'allow User:alice * all cluster kafka-cluster literal',
    ])
  })

  test('of producers and consumers are those that kafka-acls adds', () => {
    const producer = { producer: true, idempotent: true, topic: ['t'], transactionalId: ['x'] }
    expect(told({ ...alice, ...producer })).toEqual([
      'allow User:alice * write topic t literal',
      'allow User:alice * describe topic t literal',
      'allow User:alice * create topic t literal',
      'allow User:alice * write transactionalId x literal',
      'allow User:alice * describe transactionalId x literal',
      'allow User:alice * idempotentWrite cluster kafka-cluster literal',
    ])
    expect(told({ ...alice, consumer: true, topic: ['t'], group: ['g'] })).toEqual([
      'allow User:alice * read topic t literal',
      'allow User:alice * describe topic t literal',
      'allow User:alice * read group g literal',
    ])
  })

  test.each<[string, FilterArguments]>([
    ['nobody', { ...none, topic: ['a'] }],
    ['nothing', alice],
    ['a principal without its type', { ...none, allowPrincipal: ['alice'], topic: ['a'] }],
    ['an operation that is none', { ...alice, topic: ['a'], operation: ['fly'] }],
    ['a pattern of filters', { ...alice, topic: ['a'], pattern: 'match' }],
    ['hosts of nobody', { ...alice, topic: ['a'], denyHost: ['10.0.0.1'] }],
    ['a producer of nothing', { ...alice, producer: true }],
    ['a consumer without a group', { ...alice, consumer: true, topic: ['a'] }],
    ['a producer with operations', { ...alice, producer: true, topic: ['a'], operation: ['all'] }],
  ])('of %s are refused', (_, given) => {
    expect(() => aclsOf(given)).toThrow(/must|[Ss]ay|needs|written|only|literal/)
  })
})

describe('filters', () => {
  test('mean everything where nothing is given', () => {
    expect(filtersOf(none)).toEqual([{}])
    expect(filtersOf({ ...none, pattern: 'match' })).toEqual([{}])
  })

  test('leave out what is not given', () => {
    expect(filtersOf({ ...none, principal: ['User:alice'] })).toEqual([{ principal: 'User:alice' }])
    const topic = { resourceType: 'topic', resourceName: 'a' }
    expect(filtersOf({ ...none, topic: ['a'], operation: ['read'] })).toEqual([
      { ...topic, operation: 'read', pattern: 'literal' },
    ])
    expect(filtersOf({ ...none, topic: ['a'], pattern: 'any', denyPrincipal: ['User:b'] })).toEqual(
      [{ ...topic, principal: 'User:b', permission: 'deny' }],
    )
  })
})

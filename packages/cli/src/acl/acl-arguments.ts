import { InvalidArgumentError } from '@varve/record'
import type { Acl, AclFilter, AclPattern } from '@varve/server'
import { UsageError } from '../command-io.ts'

/** Which resources are meant, named as Kafka's kafka-acls does. */
export interface ResourceArguments {
  readonly topic: readonly string[]
  readonly group: readonly string[]
  readonly transactionalId: readonly string[]
  readonly userPrincipal: readonly string[]
  readonly delegationToken: readonly string[]
  readonly cluster: boolean
}

/** Whose rules, and which. */
export interface RuleArguments extends ResourceArguments {
  readonly pattern: AclPattern | 'match' | 'any'
  readonly allowPrincipal: readonly string[]
  readonly denyPrincipal: readonly string[]
  readonly allowHost: readonly string[]
  readonly denyHost: readonly string[]
  /** In any case, with or without dashes. */
  readonly operation: readonly string[]
  /** What a producer needs for the topics and transactional ids. */
  readonly producer: boolean
  /** With `producer`: what an idempotent one needs of brokers before Kafka 2.8. */
  readonly idempotent: boolean
  /** What a consumer needs for the topics and groups. */
  readonly consumer: boolean
}

type Resource = Pick<Acl, 'resourceType' | 'resourceName'>
type Rule = Resource & Pick<Acl, 'operation'>

const operationNames = {
  ...{ all: true, read: true, write: true, create: true, delete: true, alter: true },
  ...{ describe: true, clusterAction: true, describeConfigs: true, alterConfigs: true },
  ...{ idempotentWrite: true, createTokens: true, describeTokens: true },
} satisfies Readonly<Record<Acl['operation'], true>>

const operations = Object.keys(operationNames) as readonly Acl['operation'][]
const clusterName = 'kafka-cluster'

/**
 * The rules that the arguments describe: each principal, host and operation for each resource.
 * Without an operation all of them. Throws InvalidArgumentError.
 */
export function aclsOf(given: RuleArguments): readonly Acl[] {
  const { pattern, allowPrincipal, denyPrincipal } = given
  if (pattern !== 'literal' && pattern !== 'prefixed') {
    const rule = 'a rule is literal or prefixed'
    throw new InvalidArgumentError('--resource-pattern-type', pattern, rule)
  }
  if (allowPrincipal.length + denyPrincipal.length === 0) {
    const rule = 'Say who: --allow-principal User:NAME, or --deny-principal.'
    throw new UsageError(rule, "See 'varve acl add --help'.")
  }
  const rules = rulesOf(given)
  return [
    ...expanded(rules, { pattern, permission: 'allow' }, allowPrincipal, given.allowHost),
    ...expanded(rules, { pattern, permission: 'deny' }, denyPrincipal, given.denyHost),
  ]
}

function expanded(
  rules: readonly Rule[],
  { pattern, permission }: Pick<Acl, 'pattern' | 'permission'>,
  principals: readonly string[],
  hosts: readonly string[],
): readonly Acl[] {
  if (principals.length === 0 && hosts.length > 0) {
    const rule = `says from where, but not who: --${permission}-principal`
    throw new InvalidArgumentError(`--${permission}-host`, hosts[0], rule)
  }
  const from = hosts.length === 0 ? ['*'] : hosts
  return rules.flatMap(({ resourceType, resourceName, operation }) => {
    // There is one resource of this type, and one way to name it.
    const named: AclPattern = resourceType === 'cluster' ? 'literal' : pattern
    return principals.flatMap((principal) => {
      checkPrincipal(`--${permission}-principal`, principal)
      return from.map((host) => {
        const resource = { resourceType, resourceName, pattern: named }
        return { ...resource, principal, host, operation, permission }
      })
    })
  })
}

function rulesOf(given: RuleArguments): readonly Rule[] {
  if (given.producer || given.consumer) return [...producing(given), ...consuming(given)]
  const resources = resourcesOf(given)
  if (resources.length === 0) {
    const rule = 'say of what: --topic, --group, --transactional-id or --cluster'
    throw new InvalidArgumentError('--topic', undefined, rule)
  }
  const named = given.operation.length === 0 ? ['all'] : given.operation
  return resources.flatMap((resource) => {
    return named.map((text) => ({ ...resource, operation: operationOf(text) }))
  })
}

/** As kafka-acls has it. */
function producing(given: RuleArguments): readonly Rule[] {
  if (!given.producer) return []
  refuseOperations(given)
  requireSome('--producer', '--topic', given.topic)
  return [
    ...each('topic', given.topic, ['write', 'describe', 'create']),
    ...each('transactionalId', given.transactionalId, ['write', 'describe']),
    ...each('cluster', given.idempotent ? [clusterName] : [], ['idempotentWrite']),
  ]
}

function consuming(given: RuleArguments): readonly Rule[] {
  if (!given.consumer) return []
  refuseOperations(given)
  requireSome('--consumer', '--topic', given.topic)
  requireSome('--consumer', '--group', given.group)
  return [
    ...each('topic', given.topic, ['read', 'describe']),
    ...each('group', given.group, ['read']),
  ]
}

function each(
  resourceType: Acl['resourceType'],
  names: readonly string[],
  rights: readonly Acl['operation'][],
): readonly Rule[] {
  return names.flatMap((resourceName) => {
    return rights.map((operation) => ({ resourceType, resourceName, operation }))
  })
}

function refuseOperations({ operation }: RuleArguments): void {
  if (operation.length === 0) return
  const rule = '--producer and --consumer say which operations'
  throw new InvalidArgumentError('--operation', operation[0], rule)
}

function requireSome(option: string, needed: string, names: readonly string[]): void {
  if (names.length > 0) return
  throw new InvalidArgumentError(option, undefined, `needs ${needed}`)
}

export interface FilterArguments extends RuleArguments {
  /** Whatever they are allowed or denied. */
  readonly principal: readonly string[]
}

/**
 * The rules that are meant: what is not given is any. None given is one filter, that matches all.
 * Throws InvalidArgumentError.
 */
export function filtersOf(given: FilterArguments): readonly AclFilter[] {
  const { pattern } = given
  const resources: readonly Partial<Rule>[] = rulesMeant(given)
  const who = [
    ...given.principal.map((principal) => meant('--principal', principal, [], null)),
    ...given.allowPrincipal.map((principal) => {
      return meant('--allow-principal', principal, given.allowHost, 'allow')
    }),
    ...given.denyPrincipal.map((principal) => {
      return meant('--deny-principal', principal, given.denyHost, 'deny')
    }),
  ].flat()
  return resources.flatMap((resource) => {
    const isCluster = resource.resourceType === 'cluster'
    const named = pattern === 'any' || isCluster || resource.resourceName === undefined
    return (who.length === 0 ? [{}] : who).map((each) => {
      return { ...resource, ...each, ...(named ? {} : { pattern }) }
    })
  })
}

function rulesMeant(given: FilterArguments): readonly Partial<Rule>[] {
  if (given.producer || given.consumer) return rulesOf(given)
  const resources: readonly Partial<Rule>[] = resourcesOf(given)
  const named = given.operation.map((text) => ({ operation: operationOf(text) }))
  return (resources.length === 0 ? [{}] : resources).flatMap((resource) => {
    return (named.length === 0 ? [{}] : named).map((rule) => ({ ...resource, ...rule }))
  })
}

function meant(
  option: string,
  principal: string,
  hosts: readonly string[],
  permission: Acl['permission'] | null,
): readonly AclFilter[] {
  checkPrincipal(option, principal)
  const whose = { principal, ...(permission !== null && { permission }) }
  return hosts.length === 0 ? [whose] : hosts.map((host) => ({ ...whose, host }))
}

function resourcesOf(given: ResourceArguments): readonly Resource[] {
  const named = (resourceType: Acl['resourceType'], names: readonly string[]) => {
    return names.map((resourceName) => ({ resourceType, resourceName }))
  }
  return [
    ...named('topic', given.topic),
    ...named('group', given.group),
    ...named('transactionalId', given.transactionalId),
    ...named('user', given.userPrincipal),
    ...named('delegationToken', given.delegationToken),
    ...named('cluster', given.cluster ? [clusterName] : []),
  ]
}

function operationOf(text: string): Acl['operation'] {
  const plain = text.replace(/[-_]/g, '').toLowerCase()
  const found = operations.find((name) => name.toLowerCase() === plain)
  if (found !== undefined) return found
  const rule = `must be one of ${operations.join(', ')}`
  throw new InvalidArgumentError('--operation', text, rule)
}

function checkPrincipal(option: string, principal: string): void {
  if (/^[^:]+:./s.test(principal)) return
  throw new InvalidArgumentError(option, principal, 'must be written as User:NAME, or User:*')
}

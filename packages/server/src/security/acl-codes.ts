import type { Operation, ResourceType } from '../base/access.ts'
import type { Acl, AclFilter, AclPattern } from './acl.ts'
import { aclFault } from './acl-check.ts'

// Kafka's numbers. 0 stands for what is not known, 1 in filters for any.

const anyCode = 1

const resourceTypes: readonly (readonly [ResourceType, number])[] = [
  ['topic', 2],
  ['group', 3],
  ['cluster', 4],
  ['transactionalId', 5],
  ['delegationToken', 6],
  ['user', 7],
]

const operations: readonly (readonly [Operation | 'all', number])[] = [
  ['all', 2],
  ['read', 3],
  ['write', 4],
  ['create', 5],
  ['delete', 6],
  ['alter', 7],
  ['describe', 8],
  ['clusterAction', 9],
  ['describeConfigs', 10],
  ['alterConfigs', 11],
  ['idempotentWrite', 12],
  ['createTokens', 13],
  ['describeTokens', 14],
]

const permissions: readonly (readonly [Acl['permission'], number])[] = [
  ['deny', 2],
  ['allow', 3],
]

const patterns: readonly (readonly [AclPattern | 'match', number])[] = [
  ['match', 2],
  ['literal', 3],
  ['prefixed', 4],
]

/** A rule as requests and answers carry it. */
export interface AclCodes {
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

export interface AclFilterCodes {
  readonly resourceTypeFilter: number
  readonly resourceNameFilter: string | null
  readonly patternTypeFilter: number
  readonly principalFilter: string | null
  readonly hostFilter: string | null
  readonly operation: number
  readonly permissionType: number
}

export function aclCodes(acl: Acl): AclCodes {
  const { resourceName, principal, host } = acl
  return {
    ...{ resourceName, principal, host },
    resourceType: codeOf(resourceTypes, acl.resourceType),
    patternType: codeOf(patterns, acl.pattern),
    operation: codeOf(operations, acl.operation),
    permissionType: codeOf(permissions, acl.permission),
  }
}

/** A rule, or what is wrong with it. */
export function aclOf(codes: AclCodes): Acl | string {
  const { resourceName, principal, host } = codes
  const resourceType = named(resourceTypes, codes.resourceType)
  const pattern = named(patterns, codes.patternType)
  const operation = named(operations, codes.operation)
  const permission = named(permissions, codes.permissionType)
  if (resourceType === null) return `there is no type of resource ${codes.resourceType}`
  if (pattern === null || pattern === 'match') {
    return `there is no rule of pattern type ${codes.patternType}`
  }
  if (operation === null) return `there is no operation ${codes.operation}`
  if (permission === null) return `there is no permission ${codes.permissionType}`
  const acl: Acl = { resourceType, resourceName, pattern, principal, host, operation, permission }
  return aclFault(acl) ?? acl
}

/** A filter, or what is wrong with it. */
export function aclFilterOf(codes: AclFilterCodes): AclFilter | string {
  const resourceType = filtered(resourceTypes, codes.resourceTypeFilter)
  const pattern = filtered(patterns, codes.patternTypeFilter)
  const operation = filtered(operations, codes.operation)
  const permission = filtered(permissions, codes.permissionType)
  if (resourceType === null) return `there is no type of resource ${codes.resourceTypeFilter}`
  if (pattern === null) return `there is no pattern type ${codes.patternTypeFilter}`
  if (operation === null) return `there is no operation ${codes.operation}`
  if (permission === null) return `there is no permission ${codes.permissionType}`
  const { resourceNameFilter, principalFilter, hostFilter } = codes
  return {
    ...(resourceType !== undefined && { resourceType }),
    ...(pattern !== undefined && { pattern }),
    ...(operation !== undefined && { operation }),
    ...(permission !== undefined && { permission }),
    ...(resourceNameFilter !== null && { resourceName: resourceNameFilter }),
    ...(principalFilter !== null && { principal: principalFilter }),
    ...(hostFilter !== null && { host: hostFilter }),
  }
}

/** A filter as requests carry it. */
export function aclFilterCodes(filter: AclFilter): AclFilterCodes {
  const { resourceName, principal, host } = filter
  return {
    resourceTypeFilter: codeOrAny(resourceTypes, filter.resourceType),
    resourceNameFilter: resourceName ?? null,
    patternTypeFilter: codeOrAny(patterns, filter.pattern),
    principalFilter: principal ?? null,
    hostFilter: host ?? null,
    operation: codeOrAny(operations, filter.operation),
    permissionType: codeOrAny(permissions, filter.permission),
  }
}

/** A rule out of what was stored of it; null where it is none. */
export function parseAcl(stored: unknown): Acl | null {
  const acl = (stored ?? {}) as Partial<Record<keyof Acl, unknown>>
  const { resourceName, principal, host } = acl
  if (typeof resourceName !== 'string' || typeof principal !== 'string') return null
  const resourceType = known(resourceTypes, acl.resourceType)
  const pattern = known(patterns, acl.pattern)
  const operation = known(operations, acl.operation)
  const permission = known(permissions, acl.permission)
  if (typeof host !== 'string' || resourceType === null || operation === null) return null
  if (pattern === null || pattern === 'match' || permission === null) return null
  return { resourceType, resourceName, pattern, principal, host, operation, permission }
}

type Codes<Name> = readonly (readonly [Name, number])[]

function codeOf<Name>(codes: Codes<Name>, name: Name): number {
  return codes.find(([one]) => one === name)?.[1] ?? 0
}

function codeOrAny<Name>(codes: Codes<Name>, name: Name | undefined): number {
  return name === undefined ? anyCode : codeOf(codes, name)
}

/** Null where no name has the code. */
function named<Name>(codes: Codes<Name>, code: number): Name | null {
  return codes.find(([, one]) => one === code)?.[0] ?? null
}

/** Undefined for any. */
function filtered<Name>(codes: Codes<Name>, code: number): Name | null | undefined {
  return code === anyCode ? undefined : named(codes, code)
}

function known<Name>(codes: Codes<Name>, stored: unknown): Name | null {
  return codes.find(([name]) => name === stored)?.[0] ?? null
}

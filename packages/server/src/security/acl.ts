import type { Operation, ResourceType } from '../base/access.ts'

/** How a rule names resources: one by its name, or all whose names begin like that. */
export type AclPattern = 'literal' | 'prefixed'

/** One access rule: Kafka's AclBinding. */
export interface Acl {
  readonly resourceType: ResourceType
  /** `*` with a literal pattern stands for all of the type. */
  readonly resourceName: string
  readonly pattern: AclPattern
  /** `User:alice`, or `User:*` for everybody. */
  readonly principal: string
  /** An address, or `*`. */
  readonly host: string
  readonly operation: Operation | 'all'
  readonly permission: 'allow' | 'deny'
}

/**
 * Which rules are meant: Kafka's AclBindingFilter. What is left out is any; the pattern `match`
 * means all rules that apply to the resource with that name.
 */
export interface AclFilter {
  readonly resourceType?: ResourceType
  readonly resourceName?: string
  /** @defaultValue any */
  readonly pattern?: AclPattern | 'match'
  readonly principal?: string
  readonly host?: string
  readonly operation?: Operation | 'all'
  readonly permission?: 'allow' | 'deny'
}

/** Stands for all names, hosts, and users. */
export const anyName = '*'
export const anyPrincipal = 'User:*'

/** Two rules that say the same have the same key. */
export function aclKey(acl: Acl): string {
  const { resourceType, resourceName, pattern, principal, host, operation, permission } = acl
  return JSON.stringify([
    ...[resourceType, resourceName, pattern],
    ...[principal, host, operation, permission],
  ])
}

export function matchesFilter(acl: Acl, filter: AclFilter): boolean {
  const { resourceType, principal, host, operation, permission } = filter
  return (
    (resourceType === undefined || resourceType === acl.resourceType) &&
    (principal === undefined || principal === acl.principal) &&
    (host === undefined || host === acl.host) &&
    (operation === undefined || operation === acl.operation) &&
    (permission === undefined || permission === acl.permission) &&
    matchesResource(acl, filter)
  )
}

function matchesResource(acl: Acl, { resourceName, pattern }: AclFilter): boolean {
  if (pattern !== undefined && pattern !== 'match' && pattern !== acl.pattern) return false
  if (resourceName === undefined) return true
  return pattern === 'match' ? appliesTo(acl, resourceName) : acl.resourceName === resourceName
}

/** Whether a rule speaks of the resource with this name. */
function appliesTo({ pattern, resourceName }: Acl, name: string): boolean {
  if (pattern === 'prefixed') return name.startsWith(resourceName)
  return resourceName === name || resourceName === anyName
}

import type { Caller, Operation, ResourceType } from '../base/access.ts'
import { type Acl, anyName, anyPrincipal } from './acl.ts'
import { sameAddress } from './address.ts'

/** Rules by whom they speak of. */
type RulesByPrincipal = Map<string, Acl[]>

/** The rules for one type of resource: by name, or by how names begin. */
interface TypeRules {
  readonly literal: Map<string, RulesByPrincipal>
  readonly prefixed: Map<string, RulesByPrincipal>
  /** The lengths of the prefixes, each once. */
  readonly prefixLengths: Set<number>
  readonly all: RulesByPrincipal
}

/** Rules that allow more than they say: who may read also may describe. */
const impliedBy: Readonly<Partial<Record<Operation, readonly Operation[]>>> = {
  describe: ['read', 'write', 'delete', 'alter'],
  describeConfigs: ['alterConfigs'],
}

/** What rules say of one question: `'silent'` where none speaks of the resource at all. */
export type Verdict = 'allowed' | 'denied' | 'not allowed' | 'silent'

/**
 * Access rules by the names of the resources they speak of and by principal, so that a question
 * costs as many steps as there are lengths of prefixes, and rules for that very name and caller,
 * however many rules there are.
 */
export class AclIndex {
  readonly #types = new Map<ResourceType, TypeRules>()

  constructor(acls: Iterable<Acl>) {
    for (const acl of acls) {
      const { resourceName, pattern, principal } = acl
      const rules = this.#rulesOf(acl.resourceType)
      if (pattern === 'prefixed') rules.prefixLengths.add(resourceName.length)
      const byName = rules[pattern]
      const byPrincipal: RulesByPrincipal = byName.get(resourceName) ?? new Map()
      byName.set(resourceName, byPrincipal)
      addTo(byPrincipal, principal, acl)
      addTo(rules.all, principal, acl)
    }
  }

  /** A rule that denies weighs more than any that allow. */
  judge(caller: Caller, operation: Operation, type: ResourceType, name: string): Verdict {
    const rules = this.#types.get(type)
    if (rules === undefined) return 'silent'
    const found = rulesFor(rules, name)
    if (found.length === 0) return 'silent'
    let isAllowed = false
    for (const byPrincipal of found) {
      for (const principal of [caller.principal, anyPrincipal]) {
        for (const acl of byPrincipal.get(principal) ?? []) {
          if (!isFor(acl, caller)) continue
          if (acl.permission === 'allow') isAllowed ||= allowsOperation(acl, operation)
          else if (acl.operation === operation || acl.operation === 'all') return 'denied'
        }
      }
    }
    return isAllowed ? 'allowed' : 'not allowed'
  }

  /** Whether the caller is allowed it for some resource of the type that is not denied as well. */
  judgeAny(caller: Caller, operation: Operation, type: ResourceType): Verdict {
    const rules = this.#types.get(type)
    if (rules === undefined) return 'silent'
    const own = [caller.principal, anyPrincipal]
      .flatMap((principal) => rules.all.get(principal) ?? [])
      .filter((acl) => isFor(acl, caller))
    const denials = own.filter(({ permission, operation: denied }) => {
      return permission === 'deny' && (denied === operation || denied === 'all')
    })
    if (denials.some(({ pattern, resourceName }) => isForAll(pattern, resourceName))) {
      return 'denied'
    }
    const isAllowed = own.some(
      (acl) =>
        acl.permission === 'allow' &&
        allowsOperation(acl, operation) &&
        !denials.some((denial) => covers(denial, acl)),
    )
    return isAllowed ? 'allowed' : 'not allowed'
  }

  #rulesOf(type: ResourceType): TypeRules {
    const known = this.#types.get(type)
    if (known !== undefined) return known
    const made: TypeRules = {
      ...{ literal: new Map(), prefixed: new Map(), prefixLengths: new Set(), all: new Map() },
    }
    this.#types.set(type, made)
    return made
  }
}

function addTo(rules: RulesByPrincipal, principal: string, acl: Acl): void {
  const list = rules.get(principal)
  if (list === undefined) rules.set(principal, [acl])
  else list.push(acl)
}

function rulesFor(rules: TypeRules, name: string): readonly RulesByPrincipal[] {
  const found: RulesByPrincipal[] = []
  const exact = rules.literal.get(name)
  if (exact !== undefined) found.push(exact)
  const forAll = name === anyName ? undefined : rules.literal.get(anyName)
  if (forAll !== undefined) found.push(forAll)
  for (const length of rules.prefixLengths) {
    if (length > name.length) continue
    const prefixed = rules.prefixed.get(name.slice(0, length))
    if (prefixed !== undefined) found.push(prefixed)
  }
  return found
}

function isFor({ host }: Acl, caller: Caller): boolean {
  return host === anyName || sameAddress(host, caller.host)
}

function allowsOperation({ operation: allowed }: Acl, operation: Operation): boolean {
  if (allowed === operation || allowed === 'all') return true
  return impliedBy[operation]?.includes(allowed) ?? false
}

function isForAll(pattern: Acl['pattern'], name: string): boolean {
  return pattern === 'literal' && name === anyName
}

/** Whether everything that one rule allows is denied by another. */
function covers(denial: Acl, { pattern, resourceName }: Acl): boolean {
  if (denial.pattern === 'literal') {
    return pattern === 'literal' && denial.resourceName === resourceName
  }
  return !isForAll(pattern, resourceName) && resourceName.startsWith(denial.resourceName)
}

import type { Authorizer, Caller, Operation, ResourceType } from '../base/access.ts'
import type { AccessWithoutAcls } from '../base/server-options.ts'
import type { Verdict } from './acl-index.ts'
import type { Acls } from './acls.ts'

/** Decides by access rules, as Kafka does. Super users may do everything. */
export class AclAuthorizer implements Authorizer {
  readonly #acls: Acls
  readonly #superUsers: ReadonlySet<string>
  readonly #without: AccessWithoutAcls

  constructor(acls: Acls, superUsers: readonly string[], without: AccessWithoutAcls) {
    this.#acls = acls
    this.#superUsers = new Set(superUsers)
    this.#without = without
  }

  allows(caller: Caller, operation: Operation, type: ResourceType, name: string): boolean {
    if (this.#isOpen || this.#superUsers.has(caller.principal)) return true
    return this.#isAllowed(this.#acls.index.judge(caller, operation, type, name))
  }

  allowsAny(caller: Caller, operation: Operation, type: ResourceType): boolean {
    if (this.#isOpen || this.#superUsers.has(caller.principal)) return true
    const verdict = this.#acls.index.judgeAny(caller, operation, type)
    // Of some resource no rule speaks, whatever there is for others.
    return this.#isAllowed(verdict === 'not allowed' ? 'silent' : verdict)
  }

  get #isOpen(): boolean {
    return this.#without === 'until-any' && this.#acls.count === 0
  }

  #isAllowed(verdict: Verdict): boolean {
    return verdict === 'allowed' || (verdict === 'silent' && this.#without === 'allow')
  }
}

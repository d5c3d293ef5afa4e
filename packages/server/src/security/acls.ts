import { InvalidArgumentError } from '@varve/record'
import type { ServerState } from '../base/server-state.ts'
import { type Acl, type AclFilter, aclKey, matchesFilter } from './acl.ts'
import { aclFault } from './acl-check.ts'
import { parseAcl } from './acl-codes.ts'
import { AclIndex } from './acl-index.ts'

/** So many rules there may be. */
const aclsMax = 50_000

/** The access rules, as they are stored in the section `acls` of the server's state. */
export class Acls {
  readonly #state: ServerState
  #all: ReadonlyMap<string, Acl>
  /** What lists that were made here hold: reading 50,000 rules takes a tenth of a second. */
  readonly #made = new WeakMap<object, ReadonlyMap<string, Acl>>()
  #index: AclIndex
  #onAny: () => void = () => undefined

  /** Throws CorruptServerStateError. */
  constructor(state: ServerState) {
    this.#state = state
    this.#all = storedAcls(state)
    this.#index = new AclIndex(this.#all.values())
  }

  /** Made anew with each change: whoever keeps what it said compares this first. */
  get index(): AclIndex {
    return this.#index
  }

  get count(): number {
    return this.#all.size
  }

  /** Has somebody told whenever there are rules where there were none: now, if there are some. */
  whenAny(callback: () => void): void {
    this.#onAny = callback
    if (this.count > 0) callback()
  }

  /** Those that a filter matches. */
  list(filter: AclFilter = {}): readonly Acl[] {
    return [...this.#all.values()].filter((acl) => matchesFilter(acl, filter))
  }

  /**
   * Adds rules, all or none, durably; those that are there already stay.
   *
   * Rejects with InvalidArgumentError, StorageError.
   */
  async add(acls: readonly Acl[]): Promise<void> {
    for (const acl of acls) {
      const fault = aclFault(acl)
      if (fault !== null) throw new InvalidArgumentError('acl', acl.resourceName, fault)
    }
    if (acls.length === 0) return
    await this.#change((all) => {
      for (const acl of acls) all.set(aclKey(acl), acl)
      if (all.size > aclsMax) {
        throw new InvalidArgumentError('acls', all.size, `must not be more than ${aclsMax}`)
      }
    })
  }

  /** Removes what filters match, durably; returns it by filter. Rejects with StorageError. */
  async remove(filters: readonly AclFilter[]): Promise<readonly (readonly Acl[])[]> {
    let removed: readonly (readonly Acl[])[] = []
    await this.#change((all) => {
      removed = filters.map((filter) => {
        return [...all.values()].filter((acl) => matchesFilter(acl, filter))
      })
      for (const acl of removed.flat()) all.delete(aclKey(acl))
    })
    return removed
  }

  /** Removes these rules, durably; those that are gone already stay so. */
  async removeAll(acls: Iterable<Acl>): Promise<void> {
    await this.#change((all) => {
      for (const acl of acls) all.delete(aclKey(acl))
    })
  }

  async #change(change: (all: Map<string, Acl>) => void): Promise<void> {
    let changed: ReadonlyMap<string, Acl> = new Map()
    await this.#state.update('acls', () => {
      const all = new Map(this.#stored)
      change(all)
      changed = all
      const list = [...all.values()]
      this.#made.set(list, all)
      return list
    })
    const isFirst = this.count === 0 && changed.size > 0
    this.#all = changed
    this.#index = new AclIndex(changed.values())
    if (isFirst) this.#onAny()
  }

  /** What is stored now, which a change that failed is not. */
  get #stored(): ReadonlyMap<string, Acl> {
    const section = this.#state.section('acls')
    const made = Array.isArray(section) ? this.#made.get(section) : undefined
    return made ?? storedAcls(this.#state)
  }
}

function storedAcls(state: ServerState): ReadonlyMap<string, Acl> {
  const section = state.section('acls') ?? []
  if (!Array.isArray(section)) throw state.damaged('acls', 'it holds no list')
  const acls = section.map((stored: unknown) => {
    const acl = parseAcl(stored)
    // A rule that is not understood could be one that denies.
    if (acl === null) throw state.damaged('acls', 'a rule is not understood')
    return acl
  })
  return new Map(acls.map((acl) => [aclKey(acl), acl]))
}

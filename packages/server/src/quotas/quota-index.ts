import type { EntityQuotas } from '../administration/client-quotas.ts'

/** A quota that a client is held to, and who shares it. */
export interface FoundQuota {
  readonly limit: number
  /** Empty where the users of a client id share it. */
  readonly user: string
  /** Empty where the client ids of a user share it. */
  readonly clientId: string
}

/** By what an entity is named, as one text: no two entities have the same. */
type EntityKey = string

/** Finds what a client is held to, in a few steps whatever the number of quotas. */
export class QuotaIndex {
  readonly #quotas = new Map<EntityKey, Readonly<Record<string, number>>>()

  constructor(all: readonly EntityQuotas[]) {
    for (const { entity, values } of all) {
      this.#quotas.set(keyOf(entity.user, entity['client-id'], entity.ip), values)
    }
  }

  /** Whether anybody is held to anything. */
  get isEmpty(): boolean {
    return this.#quotas.size === 0
  }

  /**
   * The most specific quota of that name, in Kafka's order: those of a user before those of all
   * users before those of client ids, and of each those of a client id first. An empty client id
   * has no quotas of its own, nor those of all client ids.
   */
  find(name: string, user: string, clientId: string): FoundQuota | null {
    const both = { user, clientId }
    const ofUser = { user, clientId: '' }
    const candidates = [
      { users: user, ids: clientId, shared: both },
      { users: user, ids: null, shared: both },
      { users: user, ids: undefined, shared: ofUser },
      { users: null, ids: clientId, shared: both },
      { users: null, ids: null, shared: both },
      { users: null, ids: undefined, shared: ofUser },
      { users: undefined, ids: clientId, shared: { user: '', clientId } },
      { users: undefined, ids: null, shared: { user: '', clientId } },
    ]
    for (const { users, ids, shared } of candidates) {
      if (clientId === '' && ids !== undefined) continue
      const limit = this.#quotas.get(keyOf(users, ids, undefined))?.[name]
      if (limit !== undefined) return { limit, ...shared }
    }
    return null
  }

  /** The connection_creation_rate of an address, or of all that have none of their own. */
  ofAddress(address: string): number | null {
    const own = this.#quotas.get(keyOf(undefined, undefined, address))
    const usual = this.#quotas.get(keyOf(undefined, undefined, null))
    return own?.['connection_creation_rate'] ?? usual?.['connection_creation_rate'] ?? null
  }
}

type EntityName = string | null | undefined

function keyOf(user: EntityName, clientId: EntityName, address: EntityName): EntityKey {
  return JSON.stringify([user, clientId, address].map((name) => name ?? (name === null ? 0 : 1)))
}

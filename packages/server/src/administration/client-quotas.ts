import { isIP } from 'node:net'
import { RequestRefusedError } from '../base/server-errors.ts'
import type { ServerState } from '../base/server-state.ts'

/** Whom quotas are for: users, client ids, both together, or addresses. */
export type QuotaEntityType = 'user' | 'client-id' | 'ip'

/** By type, the name; null for all that have no quotas of their own: Kafka's `<default>`. */
export type QuotaEntity = Readonly<Partial<Record<QuotaEntityType, string | null>>>

export interface EntityQuotas {
  readonly entity: QuotaEntity
  /** By Kafka's names, as `producer_byte_rate`. */
  readonly values: Readonly<Record<string, number>>
}

export interface QuotaOperation {
  readonly key: string
  readonly value: number
  readonly remove: boolean
}

/** What is to become of one entity's quotas. */
export interface QuotaAlteration {
  readonly entity: QuotaEntity
  readonly operations: readonly QuotaOperation[]
}

const sectionName = 'quotas'
const entitiesMax = 5000
const nameCharactersMax = 256

const clientKeys: Readonly<Record<string, 'whole' | 'any'>> = {
  producer_byte_rate: 'whole',
  consumer_byte_rate: 'whole',
  request_percentage: 'any',
  controller_mutation_rate: 'any',
}
const addressKeys: Readonly<Record<string, 'whole' | 'any'>> = { connection_creation_rate: 'whole' }

export function isQuotaEntityType(type: string): type is QuotaEntityType {
  return type === 'user' || type === 'client-id' || type === 'ip'
}

/** Quotas of clients: stored, told, and changed; `QuotaKeeper` holds clients to them. */
export class ClientQuotas {
  readonly #state: ServerState
  #changed: () => void = () => undefined

  private constructor(state: ServerState) {
    this.#state = state
  }

  /** Throws CorruptServerStateError. */
  static load(state: ServerState): ClientQuotas {
    const quotas = new ClientQuotas(state)
    if (!quotas.all.every(isEntityQuotas)) {
      throw state.damaged(sectionName, 'it does not hold quotas')
    }
    return quotas
  }

  get all(): readonly EntityQuotas[] {
    const found = this.#state.section(sectionName) ?? []
    if (!Array.isArray(found)) throw this.#state.damaged(sectionName, 'it is not a list')
    return found
  }

  /** Calls back after each change. */
  onChanged(callback: () => void): void {
    this.#changed = callback
  }

  /**
   * Changes entities in their order, each entirely or not at all, and stores what has become of
   * them once. Returns for each why it was refused; null where it was not. Rejects with
   * StorageError, and with RequestRefusedError where all together are too much: then nothing has
   * changed.
   */
  async alter(
    alterations: readonly QuotaAlteration[],
    { validateOnly = false }: { readonly validateOnly?: boolean } = {},
  ): Promise<readonly (RequestRefusedError | null)[]> {
    const refusals = alterations.map(({ entity, operations }) => {
      return refusalOf(() => {
        for (const operation of operations) checkOperation(entity, operation)
      })
    })
    const isAnyLeft = alterations.some(({ operations }, index) => {
      return refusals[index] === null && operations.length > 0
    })
    if (validateOnly || !isAnyLeft) return refusals
    await this.#state.update(sectionName, () => {
      const all = new Map(this.all.map((quotas) => [keyOf(quotas.entity), quotas]))
      for (const [index, alteration] of alterations.entries()) {
        refusals[index] ??= refusalOf(() => change(all, alteration))
      }
      return [...all.values()]
    })
    this.#changed()
    return refusals
  }
}

/** Whom a request means. Throws RequestRefusedError. */
export function entityOf(
  parts: readonly { readonly entityType: string; readonly entityName: string | null }[],
): QuotaEntity {
  const entity: Partial<Record<QuotaEntityType, string | null>> = {}
  for (const { entityType, entityName } of parts) {
    if (!isQuotaEntityType(entityType)) refuse(`unknown type of quota entity: ${entityType}`)
    if (Object.hasOwn(entity, entityType)) refuse(`${entityType} is named more than once`)
    if (entityName === '') refuse(`an empty ${entityType} is not supported`)
    if (entityName !== null && entityName.length > nameCharactersMax) {
      refuse(`a name has at most ${nameCharactersMax} characters`)
    }
    if (entityType === 'ip' && entityName !== null && isIP(entityName) === 0) {
      refuse(`${entityName} is not an address`)
    }
    entity[entityType] = entityName
  }
  if (parts.length === 0) refuse('the quota entity is empty')
  if ('ip' in entity && parts.length > 1) refuse('an ip is not combined with others')
  return entity
}

function checkOperation(entity: QuotaEntity, { key, value, remove }: QuotaOperation): void {
  const keys = 'ip' in entity ? addressKeys : clientKeys
  const kind = Object.hasOwn(keys, key) ? keys[key] : undefined
  if (kind === undefined) refuse(`there is no quota ${key} of this entity`)
  if (remove) return
  if (!(value > 0) || !Number.isFinite(value)) refuse(`${key} must be greater than 0`)
  if (kind === 'whole' && !Number.isSafeInteger(value)) refuse(`${key} cannot be fractional`)
}

/** By the keys of entities. Throws RequestRefusedError. */
function change(all: Map<string, EntityQuotas>, { entity, operations }: QuotaAlteration): void {
  const key = keyOf(entity)
  const values: Record<string, number> = { ...all.get(key)?.values }
  for (const { key: name, value, remove } of operations) {
    if (remove) delete values[name]
    else values[name] = value
  }
  if (Object.keys(values).length === 0) {
    all.delete(key)
    return
  }
  if (!all.has(key) && all.size >= entitiesMax) {
    const rule = `there are quotas of ${entitiesMax} entities, and no more may have them`
    throw new RequestRefusedError('POLICY_VIOLATION', rule)
  }
  all.set(key, { entity, values })
}

function refusalOf(check: () => void): RequestRefusedError | null {
  try {
    check()
    return null
  } catch (error) {
    if (error instanceof RequestRefusedError) return error
    throw error
  }
}

function keyOf({ user, 'client-id': clientId, ip }: QuotaEntity): string {
  return JSON.stringify([user, clientId, ip].map((name) => (name === undefined ? [] : [name])))
}

function isEntityQuotas(found: EntityQuotas | null): boolean {
  const { entity, values } = Object(found) as Partial<EntityQuotas>
  if (typeof entity !== 'object' || typeof values !== 'object') return false
  const areNames = Object.entries(entity ?? {}).every(([type, name]) => {
    return isQuotaEntityType(type) && (name === null || typeof name === 'string')
  })
  return areNames && Object.values(values ?? {}).every((value) => typeof value === 'number')
}

function refuse(rule: string): never {
  throw new RequestRefusedError('INVALID_REQUEST', rule)
}

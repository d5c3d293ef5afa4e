import { RequestRefusedError } from '../base/server-errors.ts'
import { isQuotaEntityType, type QuotaEntity, type QuotaEntityType } from './client-quotas.ts'

/** What an entity's part of a type must be. */
export interface FilterComponent {
  readonly entityType: string
  readonly matchType: number
  readonly match: string | null
}

/** How a name is matched: Kafka's numbers. */
const exactly = 0
const theDefault = 1
const anyName = 2

/**
 * Whether an entity matches. Throws RequestRefusedError for a filter that makes no sense.
 *
 * @param strict whether entities may have no parts of other types
 */
export function checkQuotaFilter(
  components: readonly FilterComponent[],
  strict: boolean,
): (entity: QuotaEntity) => boolean {
  const wanted = new Map<QuotaEntityType, FilterComponent>()
  for (const component of components) {
    const { entityType } = component
    if (!isQuotaEntityType(entityType)) {
      const rule = `unsupported entity type ${entityType}`
      throw new RequestRefusedError('UNSUPPORTED_VERSION', rule)
    }
    checkMatch(component)
    if (wanted.has(entityType)) refuse(`${entityType} is in the filter more than once`)
    wanted.set(entityType, component)
  }
  if (wanted.has('ip') && wanted.size > 1) refuse('an ip is not combined with others')
  return (entity) => {
    if (strict && Object.keys(entity).length !== wanted.size) return false
    return [...wanted].every(([type, component]) => isMatch(entity[type], component))
  }
}

function isMatch(name: string | null | undefined, { matchType, match }: FilterComponent): boolean {
  if (name === undefined) return false
  return matchType === anyName || name === (matchType === theDefault ? null : match)
}

function checkMatch({ matchType, match }: FilterComponent): void {
  if (![exactly, theDefault, anyName].includes(matchType)) refuse(`unknown match type ${matchType}`)
  if (matchType === exactly && match === null) refuse('an exact match needs a name')
  if (matchType !== exactly && match !== null) refuse('only an exact match has a name')
}

function refuse(rule: string): never {
  throw new RequestRefusedError('INVALID_REQUEST', rule)
}

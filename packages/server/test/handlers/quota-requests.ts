import { alterClientQuotas } from '../../src/protocol/apis/alter-client-quotas.ts'
import { describeClientQuotas } from '../../src/protocol/apis/describe-client-quotas.ts'
import type { WireClient } from '../wire-client.ts'

type Entity = Record<string, string | null>

export function entry(entity: Entity, quotas: Record<string, number | null>) {
  return {
    entity: Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName })),
    ops: Object.entries(quotas).map(([key, value]) => {
      return { key, value: value ?? 0, remove: value === null }
    }),
  }
}

export async function alterQuotas(
  client: WireClient,
  validateOnly: boolean,
  ...entries: ReturnType<typeof entry>[]
) {
  const answer = await client.call(alterClientQuotas, 1, { entries, validateOnly })
  return answer.entries.map(({ errorCode }) => errorCode)
}

export async function describeQuotas(
  client: WireClient,
  strict: boolean,
  ...filter: [string, number, string | null][]
) {
  const components = filter.map(([entityType, matchType, match]) => ({
    entityType,
    matchType,
    match,
  }))
  const { errorCode, entries } = await client.call(describeClientQuotas, 1, { components, strict })
  if (entries === null) return errorCode
  return entries.map(({ entity, values }) => [
    entity.map(({ entityType, entityName }) => `${entityType}=${entityName}`).join(),
    Object.fromEntries(values.map(({ key, value }) => [key, value])),
  ])
}

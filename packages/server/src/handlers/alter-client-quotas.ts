import type { Administration } from '../administration/administration.ts'
import { entityOf, type QuotaAlteration } from '../administration/client-quotas.ts'
import { done, refusal, unauthorized } from '../administration/refusals.ts'
import { clusterResource } from '../base/access.ts'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { alterClientQuotas } from '../protocol/apis/alter-client-quotas.ts'

type Request = RequestOf<typeof alterClientQuotas>
type Result = ResponseOf<typeof alterClientQuotas>['entries'][number]

/** An entry that names an entity, and where it stands in the request. */
interface Understood extends QuotaAlteration {
  readonly index: number
}

/** AlterClientQuotas: each entity by itself, all of its quotas or none; stored once. */
export function alterClientQuotasHandler(
  server: ServerContext,
  { quotas }: Administration,
): ApiHandler {
  return handlerOf(alterClientQuotas, { versions: '0-1' }, async (call, request) => {
    const { entries, validateOnly } = request
    const results: Result[] = entries.map(({ entity }) => ({ ...done, entity }))
    const refuse = (index: number, error: unknown): void => {
      results[index] = { ...refusal(error), entity: entries[index]?.entity ?? [] }
    }
    if (!call.may('alterConfigs', 'cluster', clusterResource)) {
      for (const index of entries.keys())
        refuse(index, unauthorized('CLUSTER_AUTHORIZATION_FAILED'))
      return { entries: results }
    }
    const understood = await understand(call, entries, refuse)
    try {
      const refusals = await quotas.alter(understood, { validateOnly })
      for (const [at, { index, entity }] of understood.entries()) {
        const refused = refusals[at] ?? null
        if (refused !== null) refuse(index, refused)
        else if (!validateOnly) {
          server.logger.info({ entity, by: call.client.principal }, 'client quotas were changed')
        }
      }
    } catch (error) {
      for (const { index } of understood) refuse(index, error)
    }
    return { entries: results }
  })
}

async function understand(
  call: Call,
  entries: Request['entries'],
  refuse: (index: number, error: unknown) => void,
): Promise<readonly Understood[]> {
  const understood: Understood[] = []
  for (const [index, { entity, ops: operations }] of entries.entries()) {
    const pause = call.turns.next()
    if (pause !== undefined) await pause
    try {
      understood.push({ index, entity: entityOf(entity), operations })
    } catch (error) {
      refuse(index, error)
    }
  }
  return understood
}

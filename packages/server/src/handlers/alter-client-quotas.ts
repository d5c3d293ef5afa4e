import type { Administration } from '../administration/administration.ts'
import { entityOf } from '../administration/client-quotas.ts'
import { done, refusal, unauthorized } from '../administration/refusals.ts'
import { clusterResource } from '../base/access.ts'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import type { ResponseOf } from '../protocol/api-declaration.ts'
import { alterClientQuotas } from '../protocol/apis/alter-client-quotas.ts'

type Result = ResponseOf<typeof alterClientQuotas>['entries'][number]

/** AlterClientQuotas: each entity by itself, all of its quotas or none. */
export function alterClientQuotasHandler(
  server: ServerContext,
  { quotas }: Administration,
): ApiHandler {
  return handlerOf(alterClientQuotas, { versions: '0-1' }, async (call, request) => {
    const entries: Result[] = []
    for (const { entity, ops } of request.entries) {
      const pause = call.turns.next()
      if (pause !== undefined) await pause
      try {
        if (!call.may('alterConfigs', 'cluster', clusterResource)) {
          throw unauthorized('CLUSTER_AUTHORIZATION_FAILED')
        }
        await quotas.alter(entityOf(entity), ops, request.validateOnly)
        if (!request.validateOnly) {
          server.logger.info({ entity, by: call.client.principal }, 'client quotas were changed')
        }
        entries.push({ ...done, entity })
      } catch (error) {
        entries.push({ ...refusal(error), entity })
      }
    }
    return { entries }
  })
}

import type { Administration } from '../administration/administration.ts'
import { checkQuotaFilter } from '../administration/quota-filter.ts'
import { refusal, unauthorized } from '../administration/refusals.ts'
import { clusterResource } from '../base/access.ts'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import { describeClientQuotas } from '../protocol/apis/describe-client-quotas.ts'
import { errorCodes } from '../protocol/error-codes.ts'

/** DescribeClientQuotas: those that a filter matches. */
export function describeClientQuotasHandler({ quotas }: Administration): ApiHandler {
  return handlerOf(describeClientQuotas, { versions: '0-1' }, (call, request) => {
    try {
      if (!call.may('describeConfigs', 'cluster', clusterResource)) {
        throw unauthorized('CLUSTER_AUTHORIZATION_FAILED')
      }
      const matches = checkQuotaFilter(request.components, request.strict)
      const entries = quotas.all.filter(({ entity }) => matches(entity))
      return {
        ...{ errorCode: errorCodes.NONE, errorMessage: '' },
        entries: entries.map(({ entity, values }) => ({
          entity: Object.entries(entity).map(([entityType, entityName]) => {
            return { entityType, entityName }
          }),
          values: Object.entries(values).map(([key, value]) => ({ key, value })),
        })),
      }
    } catch (error) {
      return { ...refusal(error), entries: null }
    }
  })
}

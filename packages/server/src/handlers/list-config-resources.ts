import type { Administration } from '../administration/administration.ts'
import { resourceTypes } from '../administration/config-entry.ts'
import { clusterResource } from '../base/access.ts'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { listConfigResources } from '../protocol/apis/list-config-resources.ts'
import { errorCodes } from '../protocol/error-codes.ts'

/**
 * ListConfigResources, which in version 0 is ListClientMetricsResources: no metrics of clients are
 * collected. Groups are those that were given something.
 */
export function listConfigResourcesHandler(
  server: ServerContext,
  { groupConfigs }: Administration,
): ApiHandler {
  return handlerOf(listConfigResources, { versions: '0-1' }, (call, request) => {
    if (!call.may('describeConfigs', 'cluster', clusterResource)) {
      return { errorCode: errorCodes.CLUSTER_AUTHORIZATION_FAILED, configResources: [] }
    }
    if (call.version === 0) return { errorCode: errorCodes.NONE, configResources: [] }
    const known: readonly number[] = Object.values(resourceTypes)
    if (request.resourceTypes.some((type) => !known.includes(type))) {
      return { errorCode: errorCodes.UNSUPPORTED_VERSION, configResources: [] }
    }
    const isAsked = (type: number): boolean =>
      request.resourceTypes.length === 0 || request.resourceTypes.includes(type)
    const broker = {
      resourceName: String(server.options.nodeId),
      resourceType: resourceTypes.broker,
    }
    const topics = server.parts.topics.all.map(({ name }) => {
      return { resourceName: name, resourceType: resourceTypes.topic }
    })
    const groups = groupConfigs.groups.map((name) => {
      return { resourceName: name, resourceType: resourceTypes.group }
    })
    return {
      errorCode: errorCodes.NONE,
      configResources: [
        ...(isAsked(resourceTypes.group) ? groups : []),
        ...(isAsked(resourceTypes.broker) ? [broker] : []),
        ...(isAsked(resourceTypes.topic) ? topics : []),
      ],
    }
  })
}

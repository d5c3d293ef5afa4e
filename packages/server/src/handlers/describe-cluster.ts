import { clusterResource } from '../base/access.ts'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import { authorizedOperations, operationsNotAsked } from '../base/authorized-operations.ts'
import type { ServerContext } from '../base/server-context.ts'
import { describeCluster } from '../protocol/apis/describe-cluster.ts'
import { errorCodes } from '../protocol/error-codes.ts'

/** Kinds of endpoints, by Kafka's numbers. */
const brokers = 1
const controllers = 2

/** DescribeCluster: one broker, which is the controller too. */
export function describeClusterHandler(server: ServerContext): ApiHandler {
  const { nodeId } = server.options
  return handlerOf(describeCluster, { versions: '0-2' }, (call, request) => {
    const { endpointType } = request
    if (endpointType !== brokers) {
      const isKnown = endpointType === controllers
      return {
        errorCode: isKnown
          ? errorCodes.MISMATCHED_ENDPOINT_TYPE
          : errorCodes.UNSUPPORTED_ENDPOINT_TYPE,
        errorMessage: isKnown
          ? 'this is a broker, and a controller is wanted'
          : `endpoint type ${endpointType} is not known`,
        ...{ clusterId: '', brokers: [] },
      }
    }
    return {
      errorCode: errorCodes.NONE,
      clusterId: server.clusterId,
      controllerId: nodeId,
      brokers: [{ brokerId: nodeId, ...call.client.advertised }],
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? authorizedOperations(call, 'cluster', clusterResource)
        : operationsNotAsked,
    }
  })
}

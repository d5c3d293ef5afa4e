import { done, refusal, unauthorized } from '../administration/refusals.ts'
import { clusterResource } from '../base/access.ts'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import { listPartitionReassignments } from '../protocol/apis/list-partition-reassignments.ts'

/** ListPartitionReassignments: there is one broker, and so no replica is ever on its way. */
export function listPartitionReassignmentsHandler(): ApiHandler {
  return handlerOf(listPartitionReassignments, { versions: '0' }, (call) => {
    const isAllowed = call.may('describe', 'cluster', clusterResource)
    const error = isAllowed ? done : refusal(unauthorized('CLUSTER_AUTHORIZATION_FAILED'))
    return { ...error, topics: [] }
  })
}

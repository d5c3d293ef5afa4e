import { done, refusal, unauthorized } from '../administration/refusals.ts'
import { checkReplicas } from '../administration/replica-assignment.ts'
import { clusterResource } from '../base/access.ts'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { RequestRefusedError } from '../base/server-errors.ts'
import { alterPartitionReassignments } from '../protocol/apis/alter-partition-reassignments.ts'

/** AlterPartitionReassignments: replicas that are where they shall be; nothing moves. */
export function alterPartitionReassignmentsHandler(server: ServerContext): ApiHandler {
  return handlerOf(alterPartitionReassignments, { versions: '0-1' }, async (call, request) => {
    const { allowReplicationFactorChange } = request
    if (!call.may('alter', 'cluster', clusterResource)) {
      const error = refusal(unauthorized('CLUSTER_AUTHORIZATION_FAILED'))
      return { allowReplicationFactorChange, ...error, responses: [] }
    }
    const responses = await call.turns.map(request.topics, async ({ name, partitions }) => ({
      name,
      partitions: await call.turns.map(partitions, ({ partitionIndex, replicas }) => {
        try {
          check(server, name, partitionIndex, replicas)
          return { partitionIndex, ...done }
        } catch (error) {
          return { partitionIndex, ...refusal(error) }
        }
      }),
    }))
    return { allowReplicationFactorChange, ...done, responses }
  })
}

function check(
  { parts, options }: ServerContext,
  topic: string,
  partition: number,
  replicas: readonly number[] | null,
): void {
  parts.topics.topic(topic).partition(partition)
  if (replicas === null) {
    throw new RequestRefusedError('NO_REASSIGNMENT_IN_PROGRESS', 'no reassignment is in progress')
  }
  checkReplicas(replicas, options.nodeId)
}

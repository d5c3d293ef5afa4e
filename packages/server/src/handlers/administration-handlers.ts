import type { Administration } from '../administration/administration.ts'
import type { ApiHandler } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { alterClientQuotasHandler } from './alter-client-quotas.ts'
import { alterConfigsHandler } from './alter-configs.ts'
import { alterPartitionReassignmentsHandler } from './alter-partition-reassignments.ts'
import { alterReplicaLogDirsHandler } from './alter-replica-log-dirs.ts'
import { createPartitionsHandler } from './create-partitions.ts'
import { createTopicsHandler } from './create-topics.ts'
import { deleteRecordsHandler } from './delete-records.ts'
import { deleteTopicsHandler } from './delete-topics.ts'
import { describeClientQuotasHandler } from './describe-client-quotas.ts'
import { describeClusterHandler } from './describe-cluster.ts'
import { describeConfigsHandler } from './describe-configs.ts'
import { describeLogDirsHandler } from './describe-log-dirs.ts'
import { describeQuorumHandler } from './describe-quorum.ts'
import { describeTopicPartitionsHandler } from './describe-topic-partitions.ts'
import { electLeadersHandler } from './elect-leaders.ts'
import { incrementalAlterConfigsHandler } from './incremental-alter-configs.ts'
import { listConfigResourcesHandler } from './list-config-resources.ts'
import { listPartitionReassignmentsHandler } from './list-partition-reassignments.ts'

/** The handlers of what administrators ask for. */
export function administrationHandlers(
  server: ServerContext,
  administration: Administration,
): readonly ApiHandler[] {
  return [
    createTopicsHandler(server, administration),
    deleteTopicsHandler(server),
    createPartitionsHandler(server),
    deleteRecordsHandler(server),
    describeConfigsHandler(server, administration),
    alterConfigsHandler(server, administration),
    incrementalAlterConfigsHandler(server, administration),
    listConfigResourcesHandler(server, administration),
    describeClusterHandler(server),
    describeQuorumHandler(server),
    describeTopicPartitionsHandler(server),
    describeLogDirsHandler(server),
    alterReplicaLogDirsHandler(server),
    electLeadersHandler(server),
    alterPartitionReassignmentsHandler(server),
    listPartitionReassignmentsHandler(),
    describeClientQuotasHandler(administration),
    alterClientQuotasHandler(server, administration),
  ]
}

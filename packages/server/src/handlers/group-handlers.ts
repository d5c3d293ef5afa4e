import type { Administration } from '../administration/administration.ts'
import type { ApiHandler } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { ParkedRequests } from '../groups/parked-requests.ts'
import { consumerGroupDescribeHandler } from './consumer-group-describe.ts'
import { consumerGroupHeartbeatHandler } from './consumer-group-heartbeat.ts'
import { deleteGroupsHandler } from './delete-groups.ts'
import { describeGroupsHandler } from './describe-groups.ts'
import { findCoordinatorHandler } from './find-coordinator.ts'
import { heartbeatHandler } from './heartbeat.ts'
import { joinGroupHandler } from './join-group.ts'
import { leaveGroupHandler } from './leave-group.ts'
import { listGroupsHandler } from './list-groups.ts'
import { offsetCommitHandler } from './offset-commit.ts'
import { offsetDeleteHandler } from './offset-delete.ts'
import { offsetFetchHandler } from './offset-fetch.ts'
import { syncGroupHandler } from './sync-group.ts'

/** Groups: their members, their offsets, and what operators do with them. */
export function groupHandlers(
  server: ServerContext,
  administration: Administration,
): readonly ApiHandler[] {
  const parked = new ParkedRequests(server.stopping)
  return [
    findCoordinatorHandler(server),
    joinGroupHandler(server, parked),
    syncGroupHandler(server, parked),
    heartbeatHandler(server),
    leaveGroupHandler(server),
    offsetCommitHandler(server),
    offsetFetchHandler(server),
    offsetDeleteHandler(server),
    listGroupsHandler(server),
    describeGroupsHandler(server),
    deleteGroupsHandler(server),
    consumerGroupHeartbeatHandler(server, administration),
    consumerGroupDescribeHandler(server),
  ]
}

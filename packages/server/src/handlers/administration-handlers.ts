import type { Administration } from '../administration/administration.ts'
import type { ApiHandler } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { createPartitionsHandler } from './create-partitions.ts'
import { createTopicsHandler } from './create-topics.ts'
import { deleteRecordsHandler } from './delete-records.ts'
import { deleteTopicsHandler } from './delete-topics.ts'
import { describeConfigsHandler } from './describe-configs.ts'

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
  ]
}

import type { Administration } from '../administration/administration.ts'
import type { ApiHandler } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import type { SecurityStore } from '../security/security-store.ts'
import { addOffsetsToTxnHandler } from './add-offsets-to-txn.ts'
import { addPartitionsToTxnHandler } from './add-partitions-to-txn.ts'
import { administrationHandlers } from './administration-handlers.ts'
import { apiVersionsHandler } from './api-versions.ts'
import { describeProducersHandler } from './describe-producers.ts'
import { describeTransactionsHandler } from './describe-transactions.ts'
import { endTxnHandler } from './end-txn.ts'
import { fetchHandler } from './fetch.ts'
import { groupHandlers } from './group-handlers.ts'
import { initProducerIdHandler } from './init-producer-id.ts'
import { listOffsetsHandler } from './list-offsets.ts'
import { listTransactionsHandler } from './list-transactions.ts'
import { metadataHandler } from './metadata.ts'
import { offsetForLeaderEpochHandler } from './offset-for-leader-epoch.ts'
import { produceHandler } from './produce.ts'
import { securityHandlers } from './security-handlers.ts'
import { txnOffsetCommitHandler } from './txn-offset-commit.ts'

/** The handlers of all APIs that are offered, by key. */
export function allHandlers(
  server: ServerContext,
  administration: Administration,
  security: SecurityStore,
): ReadonlyMap<number, ApiHandler> {
  const handlers = new Map<number, ApiHandler>()
  const offered = [
    apiVersionsHandler(handlers),
    metadataHandler(server),
    initProducerIdHandler(server),
    addPartitionsToTxnHandler(server),
    addOffsetsToTxnHandler(server),
    endTxnHandler(server),
    txnOffsetCommitHandler(server),
    describeProducersHandler(server),
    describeTransactionsHandler(server),
    listTransactionsHandler(server),
    ...groupHandlers(server, administration),
    ...administrationHandlers(server, administration),
    ...securityHandlers(security),
    produceHandler(server),
    fetchHandler(server),
    listOffsetsHandler(server),
    offsetForLeaderEpochHandler(server),
  ]
  for (const handler of offered) handlers.set(handler.api.key, handler)
  return handlers
}

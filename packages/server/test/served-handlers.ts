import { partsOf, silentLogger } from '@varve/broker/serving'
import { systemClock } from '@varve/log'
import { Administration } from '../src/administration/administration.ts'
import type { ApiHandler } from '../src/base/api-handler.ts'
import type { ServerContext } from '../src/base/server-context.ts'
import { resolveServerOptions } from '../src/base/server-options.ts'
import { ServerState } from '../src/base/server-state.ts'
import { allHandlers } from '../src/handlers/all-handlers.ts'
import { AclAuthorizer } from '../src/security/acl-authorizer.ts'
import { SecurityStore } from '../src/security/security-store.ts'
import type { Server } from '../src/server.ts'

/** The handlers that a server has, made a second time. */
export async function servedHandlers(server: Server): Promise<ReadonlyMap<number, ApiHandler>> {
  const parts = partsOf(server.varve)
  if (parts === null) throw new Error('the server has no open data directory')
  const state = ServerState.load(parts.fs, parts.topics.directory.path)
  const security = new SecurityStore(state)
  const authorizer = new AclAuthorizer(security.acls, [], 'until-any')
  const context: ServerContext = {
    ...{ varve: server.varve, parts, options: resolveServerOptions({}), clusterId: 'test' },
    ...{ clock: systemClock, logger: silentLogger, state, authorizer },
    stopping: new AbortController().signal,
  }
  return allHandlers(context, await Administration.open(context), security)
}

import type { ApiHandler } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { apiVersionsHandler } from './api-versions.ts'
import { metadataHandler } from './metadata.ts'

/** The handlers of all APIs that are offered, by key. */
export function allHandlers(server: ServerContext): ReadonlyMap<number, ApiHandler> {
  const handlers = new Map<number, ApiHandler>()
  const offered = [apiVersionsHandler(handlers), metadataHandler(server)]
  for (const handler of offered) handlers.set(handler.api.key, handler)
  return handlers
}

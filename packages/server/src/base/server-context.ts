import type { DirectoryVarve, Logger } from '@varve/broker'
import type { DirectoryParts } from '@varve/broker/serving'
import type { Clock } from '@varve/log'
import type { Authorizer } from './access.ts'
import type { ResolvedServerOptions } from './server-options.ts'
import type { ServerState } from './server-state.ts'

/** What handlers work on: the open data directory, and how it is to be served. */
export interface ServerContext {
  readonly varve: DirectoryVarve
  readonly parts: DirectoryParts
  readonly options: ResolvedServerOptions
  readonly clusterId: string
  readonly state: ServerState
  readonly authorizer: Authorizer
  readonly clock: Clock
  readonly logger: Logger
  /** Aborted when the server begins to stop: what waits for something is answered now. */
  readonly stopping: AbortSignal
}

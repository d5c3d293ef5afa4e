import type { ApiHandler } from '../base/api-handler.ts'
import type { AdvertisedAddress, Client } from '../base/client.ts'
import type { Login } from '../base/login.ts'
import type { ServerContext } from '../base/server-context.ts'
import type { Throttling } from '../base/throttle.ts'
import type { Complaints } from './complaints.ts'
import type { RequestMemory } from './request-memory.ts'
import type { SlowClients } from './slow-clients.ts'

/** What a connection shares with the others of its server. */
export interface ConnectionContext {
  readonly server: ServerContext
  readonly handlers: ReadonlyMap<number, ApiHandler>
  readonly memory: RequestMemory
  readonly listenerName: string
  readonly advertised: AdvertisedAddress
  readonly slowClients: SlowClients
  readonly throttling: Throttling
  readonly complaints: Complaints
  /** Null where clients do not log in. */
  readonly newLogin: ((client: Client) => Login) | null
}

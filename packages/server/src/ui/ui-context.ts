import type { Logger } from '@varve/broker'
import type { AdvertisedAddress } from '../base/client.ts'
import type { ServerContext } from '../base/server-context.ts'

/** A listener of the server, as the page shows it. */
export interface ShownListener {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly advertised: AdvertisedAddress
  readonly connections: Iterable<ShownConnection>
}

export interface ShownConnection {
  readonly connectionId: number
  readonly host: string
  readonly principal: string
  readonly software: { readonly name: string; readonly version: string }
  readonly openRequests: number
}

/** What the page is about. */
export interface UiContext extends Pick<ServerContext, 'varve' | 'parts' | 'clusterId' | 'clock'> {
  readonly logger: Logger
  readonly nodeId: number
  readonly listeners: () => readonly ShownListener[]
}

import type { Caller } from './access.ts'
import type { Login } from './login.ts'

/** Where clients are told to connect, when they ask through a listener. */
export interface AdvertisedAddress {
  readonly host: string
  readonly port: number
}

/** A connection as those who answer its requests see it. */
export interface Client extends Caller {
  /** Different for every connection that a server has had. */
  readonly connectionId: number
  /** The name of the listener it came by, as `PLAINTEXT`. */
  readonly listenerName: string
  readonly advertised: AdvertisedAddress
  /** As ApiVersions said; empty before that, and for clients that do not say. */
  software: ClientSoftware
  /** How it says who it is; null by listeners where it does not. */
  readonly login: Login | null
  readonly isClosed: boolean
  /** Calls back when the connection has ended; what it returns takes that back. */
  onClosed(callback: () => void): () => void
  /** Takes nothing from it for a while, in ms; what has been begun is answered. */
  holdBack(ms: number): void
  /** Answers what has been begun, takes nothing more, and ends. */
  finish(): void
}

export interface ClientSoftware {
  readonly name: string
  readonly version: string
}

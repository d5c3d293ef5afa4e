/** What is answered to one token of an authentication. */
export type TokenAnswer = AcceptedToken | RefusedToken

export interface AcceptedToken {
  readonly isAccepted: true
  /** For the client; may be empty. */
  readonly bytes: Uint8Array
  /** After how long the client has to log in again, in ms; 0 for never, and until it is in. */
  readonly sessionLifetimeMs: number
}

export interface RefusedToken {
  readonly isAccepted: false
  readonly errorCode: number
  readonly errorMessage: string
}

/** How the client of one connection says who it is: the server's side of Kafka's SASL. */
export interface Login {
  /** Null until the client is known. */
  readonly principal: string | null
  /** Whether what comes next is a token without a request around it: after SaslHandshake 0. */
  readonly takesBareTokens: boolean
  /**
   * Whether the client may ask now for what is answered to strangers, or for everything else: the
   * former before it is known and while it authenticates again, the latter until its session ends.
   */
  admits(isForStrangers: boolean): boolean
  /** The answer to SaslHandshake. */
  handshake(mechanism: string, version: number): HandshakeAnswer
  /** Waits where a token has to be computed on, or failed logins are held back. */
  authenticate(token: Uint8Array): Promise<TokenAnswer>
}

export interface HandshakeAnswer {
  readonly errorCode: number
  readonly mechanisms: readonly string[]
}

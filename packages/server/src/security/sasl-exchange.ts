/** What an exchange makes of a token. */
export type ExchangeStep =
  | { readonly is: 'going-on'; readonly bytes: Buffer }
  | { readonly is: 'done'; readonly bytes: Buffer; readonly user: string }
  | { readonly is: 'failed' }

/** One login by one mechanism: takes the client's tokens until it is done or has failed. */
export interface SaslExchange {
  /** Who the client is by what a token and those before it say; null where they do not. */
  claimedUser(token: Buffer): string | null
  /** Never rejects for what a token holds. */
  next(token: Buffer): Promise<ExchangeStep>
}

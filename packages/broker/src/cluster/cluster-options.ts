import type { ConnectionOptions } from 'node:tls'
import { InvalidArgumentError } from '@varve/record'

/** How to say who one is. What is given here is never put into an error or a log. */
export interface SaslOptions {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER'
  readonly username?: string | (() => string | Promise<string>)
  readonly password?: string | (() => string | Promise<string>)
  /** For OAUTHBEARER. */
  readonly token?: string | (() => string | Promise<string>)
}

/** How to speak with the brokers of a cluster. */
export interface ClusterOptions {
  /** A name for the brokers' logs and quotas. @defaultValue 'varve' */
  readonly clientId?: string
  /**
   * TLS, as Node's `tls.connect` takes it (`ca`, `cert`, `key`, `servername`). An address that
   * begins with `kafka+tls:` switches it on too. @defaultValue none
   */
  readonly tls?: ConnectionOptions
  /** @defaultValue none */
  readonly sasl?: SaslOptions
  /** How long opening, and connecting to one broker, may take, in ms. @defaultValue 5000 */
  readonly connectTimeoutMs?: number
  /** How long a broker may take to answer, in ms. @defaultValue 30000 */
  readonly requestTimeoutMs?: number
  /**
   * How long, in ms, to try again while brokers are away or choose leaders, before what was asked
   * for rejects with ClusterUnavailableError. @defaultValue 60000
   */
  readonly timeoutMs?: number
  /**
   * How often topics are looked at for partitions that were added, and for topics that were
   * deleted, in ms. @defaultValue 30000
   */
  readonly metadataRefreshMs?: number
  /** How often a member of a group says that it lives, in ms. @defaultValue 3000 */
  readonly heartbeatIntervalMs?: number
}

export interface ResolvedClusterOptions
  extends Required<Omit<ClusterOptions, 'tls' | 'sasl'>>,
    Pick<ClusterOptions, 'sasl'> {
  readonly tls: ConnectionOptions | null
}

const defaults = {
  clientId: 'varve',
  connectTimeoutMs: 5000,
  requestTimeoutMs: 30_000,
  timeoutMs: 60_000,
  metadataRefreshMs: 30_000,
  heartbeatIntervalMs: 3000,
} as const

/** Fills in the defaults. Throws InvalidArgumentError. */
export function resolveClusterOptions(
  options: ClusterOptions,
  isTls: boolean,
): ResolvedClusterOptions {
  const { tls, ...rest } = options
  const given = Object.entries(rest).filter(([, value]) => value !== undefined)
  const resolved = { ...defaults, ...Object.fromEntries(given) } as ResolvedClusterOptions
  for (const name of Object.keys(defaults) as ReadonlyArray<keyof typeof defaults>) {
    const value = resolved[name]
    if (name === 'clientId') {
      if (typeof value === 'string' && value !== '') continue
      throw new InvalidArgumentError('cluster.clientId', value, 'must be a non-empty string')
    }
    if (Number.isSafeInteger(value) && (value as number) > 0) continue
    throw new InvalidArgumentError(`cluster.${name}`, value, 'must be a positive integer')
  }
  return { ...resolved, tls: tls ?? (isTls ? {} : null) }
}

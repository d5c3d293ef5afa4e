import { InvalidArgumentError } from '@varve/record'

/** What clients may take of a server. */
export interface ConnectionLimits {
  /** Connections in all: Kafka's max.connections. @defaultValue 20000 */
  readonly connectionsMax?: number
  /** Those from one address: max.connections.per.ip. @defaultValue connectionsMax */
  readonly connectionsPerAddressMax?: number
  /**
   * New ones a second, of each listener: max.connection.creation.rate. Those beyond it are closed.
   * @defaultValue 10000
   */
  readonly connectionsPerSecondMax?: number
  /**
   * Requests a second, of each connection: after as many at once it is read from at that pace, and
   * told so. 0 for any number. @defaultValue 0
   */
  readonly requestsPerSecondMax?: number
  /**
   * Connections that have not logged in, or asked for nothing yet; when one more comes, the one
   * that has waited longest is closed. @defaultValue a quarter of connectionsMax
   */
  readonly newcomersMax?: number
  /** Time to finish the handshake of TLS, and to log in, in ms. @defaultValue 30000 */
  readonly loginMsMax?: number
  /** The largest request of a client that has not logged in. @defaultValue 16384 */
  readonly newcomerRequestBytesMax?: number
  /**
   * A request that has begun, and answers that wait to be read, have to move at this pace or
   * better, in bytes a second, counted after `slowMsMax`. @defaultValue 4096
   */
  readonly bytesPerSecondMin?: number
  /** How long a request or an answer may take whatever its size, in ms. @defaultValue 60000 */
  readonly slowMsMax?: number
  /**
   * Memory for requests of which only a part has come, of all connections; beyond it, the
   * connection whose request has taken longest is closed. @defaultValue 268435456, 256 MiB
   */
  readonly partialRequestBytesMax?: number
  /**
   * Memory for answers that are not read yet, of all connections; beyond it the connection that
   * has left its answers longest is closed. @defaultValue 1073741824, 1 GiB
   */
  readonly unreadAnswerBytesMax?: number
  /**
   * After how long clients that log in have to do it again, in ms: Kafka's
   * connections.max.reauth.ms. 0 for never. @defaultValue 0
   */
  readonly loginLifetimeMs?: number
  /**
   * How long the answer to a wrong password waits, in ms: Kafka's
   * connection.failed.authentication.delay.ms. @defaultValue 100
   */
  readonly failedLoginDelayMs?: number
}

export type ResolvedConnectionLimits = Required<ConnectionLimits>

/** Throws InvalidArgumentError. */
export function resolveConnectionLimits(limits: ConnectionLimits): ResolvedConnectionLimits {
  const { connectionsMax = 20_000 } = limits
  const resolved = {
    connectionsMax,
    connectionsPerAddressMax: connectionsMax,
    connectionsPerSecondMax: 10_000,
    requestsPerSecondMax: 0,
    newcomersMax: Math.ceil(connectionsMax / 4),
    loginMsMax: 30_000,
    newcomerRequestBytesMax: 16 * 1024,
    bytesPerSecondMin: 4096,
    slowMsMax: 60_000,
    partialRequestBytesMax: 256 * 2 ** 20,
    unreadAnswerBytesMax: 2 ** 30,
    loginLifetimeMs: 0,
    failedLoginDelayMs: 100,
    ...limits,
  }
  const canBeNone: readonly string[] = [
    'requestsPerSecondMax',
    'loginLifetimeMs',
    'failedLoginDelayMs',
  ]
  for (const [name, value] of Object.entries(resolved)) {
    const min = canBeNone.includes(name) ? 0 : 1
    if (Number.isSafeInteger(value) && value >= min) continue
    throw new InvalidArgumentError(name, value, `must be a whole number of at least ${min}`)
  }
  return resolved
}

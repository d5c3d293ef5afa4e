import type { Clock } from '@varve/log'
import type { ClientQuotas } from '../administration/client-quotas.ts'
import type { Client } from '../base/client.ts'
import { shortName } from '../base/short-name.ts'
import type { Throttle, Throttling } from '../base/throttle.ts'
import { canonicalAddress } from '../security/address.ts'
import { QuotaIndex } from './quota-index.ts'
import { type MeteredQuota, QuotaMeter, type QuotaName } from './quota-meter.ts'
import { RequestThrottle } from './request-throttle.ts'
import { TokenBucket } from './token-bucket.ts'

/** What a client is held to. */
export type ClientMeters = Readonly<Record<QuotaName, MeteredQuota | null>>

/** Clients that are remembered of each kind; whoever came least lately is forgotten first. */
const rememberedMax = 10_000
/** A connection may ask at once for what it may ask for in so many seconds. */
const requestBurstSeconds = 1
/** As many connections may come at once as may in so many seconds. */
const connectionSeconds = 10

/**
 * Holds clients to their quotas, by user and client id, and connections to the server's own rate.
 * What a client has used is known by who it is, not by its connection.
 */
export class QuotaKeeper implements Throttling {
  readonly #quotas: ClientQuotas
  readonly #requestsPerSecondMax: number
  readonly #clock: Clock
  #index: QuotaIndex
  isActive = false
  readonly #clients = new Map<string, ClientMeters>()
  readonly #meters = new Map<string, QuotaMeter>()
  readonly #addresses = new Map<string, TokenBucket>()
  readonly #connections = new WeakMap<Client, TokenBucket>()
  #refusedConnections = 0

  /** @param requestsPerSecondMax of each connection; 0 for any number */
  constructor(quotas: ClientQuotas, requestsPerSecondMax: number, clock: Clock) {
    this.#quotas = quotas
    this.#requestsPerSecondMax = requestsPerSecondMax
    this.#clock = clock
    this.#index = new QuotaIndex([])
    quotas.onChanged(() => this.#read())
    this.#read()
  }

  /** Those who have been held to something lately, for metrics. */
  get meters(): Iterable<QuotaMeter> {
    return this.#meters.values()
  }

  /** Connections that were refused for the rate of their address. */
  get refusedConnections(): number {
    return this.#refusedConnections
  }

  throttleOf(client: Client, clientId: string | null, requestBytes: number): Throttle | null {
    const { login, principal } = client
    // Who has not logged in yet can only do that, and is held to a size and a time for it.
    if (login !== null && login.principal === null) return null
    const meters = this.#metersOf(principal, shortName(clientId ?? ''))
    const bucket = this.#bucketOf(client)
    if (meters === null && bucket === null) return null
    const requests = bucket === null ? null : { bucket, limit: this.#requestsPerSecondMax }
    const context = { client, clock: this.#clock, requestBytes }
    return new RequestThrottle(meters, requests, context)
  }

  admitsConnection(host: string): boolean {
    if (!this.isActive) return true
    const address = canonicalAddress(host)
    const limit = this.#index.ofAddress(address)
    if (limit === null) return true
    const nowMs = this.#clock.monotonic()
    const bucket = remembered(this.#addresses, address, () => new TokenBucket(connectionSeconds))
    const isAdmitted = bucket.waitMs(1, limit, nowMs) === 0
    if (isAdmitted) bucket.take(1, limit, nowMs)
    else this.#refusedConnections++
    return isAdmitted
  }

  #read(): void {
    this.#index = new QuotaIndex(this.#quotas.all)
    this.#clients.clear()
    this.isActive = !this.#index.isEmpty || this.#requestsPerSecondMax > 0
  }

  #bucketOf(client: Client): TokenBucket | null {
    if (this.#requestsPerSecondMax === 0) return null
    const known = this.#connections.get(client)
    if (known !== undefined) return known
    const bucket = new TokenBucket(requestBurstSeconds)
    this.#connections.set(client, bucket)
    return bucket
  }

  /** Null for a client that is held to nothing. */
  #metersOf(principal: string, clientId: string): ClientMeters | null {
    if (this.#index.isEmpty) return null
    const user = principal.slice(principal.indexOf(':') + 1)
    const meters = remembered(this.#clients, JSON.stringify([user, clientId]), () => {
      const find = (name: QuotaName): MeteredQuota | null => this.#find(name, user, clientId)
      return {
        producer_byte_rate: find('producer_byte_rate'),
        consumer_byte_rate: find('consumer_byte_rate'),
        request_percentage: find('request_percentage'),
        controller_mutation_rate: find('controller_mutation_rate'),
      }
    })
    return Object.values(meters).some((quota) => quota !== null) ? meters : null
  }

  #find(name: QuotaName, user: string, clientId: string): MeteredQuota | null {
    const found = this.#index.find(name, user, clientId)
    if (found === null) return null
    const { limit, ...shared } = found
    const key = JSON.stringify([name, shared.user, shared.clientId])
    const meter = remembered(this.#meters, key, () => new QuotaMeter(name, shared))
    meter.limit = limit
    return { limit, meter }
  }
}

/** What is in a map, or is put there; it was used last then, and what was not for longest goes. */
function remembered<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key)
  if (known !== undefined && map.size < rememberedMax / 2) return known
  const value = known ?? make()
  map.delete(key)
  map.set(key, value)
  if (map.size > rememberedMax) {
    const [oldest] = map.keys()
    if (oldest !== undefined) map.delete(oldest)
  }
  return value
}

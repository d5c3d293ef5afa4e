import type { Connection, ConnectionPool } from '@platformatic/kafka'
import type { Clock } from '@varve/log'
import { ClosedError } from '../base/broker-errors.ts'
import type { BrokerAddress } from './cluster-address.ts'
import {
  ClusterAuthenticationError,
  ClusterRefusedError,
  ClusterUnavailableError,
  ClusterUnsupportedError,
} from './cluster-errors.ts'
import type { ResolvedClusterOptions } from './cluster-options.ts'
import type { KafkaClient, MetadataAnswer } from './kafka-client.ts'
import { isPassing, kafkaCodes } from './kafka-codes.ts'
import { BrokerAwayError, inOurWords } from './kafka-failures.ts'

export interface RetryOptions {
  /** @defaultValue the cluster's */
  readonly timeoutMs?: number
  /** Ends the waiting. */
  readonly signal?: AbortSignal
  /** Whether trying again may help. @defaultValue where the failure passes */
  readonly isPassing?: (error: unknown) => boolean
}

export type CoordinatorKind = 'group' | 'transaction'

export interface ClusterParts {
  readonly client: KafkaClient
  readonly clock: Clock
  readonly options: ResolvedClusterOptions
  readonly bootstrap: readonly BrokerAddress[]
}

const retryMsMin = 30
const retryMsMax = 1000

/**
 * The brokers of a cluster: which there are, who leads and coordinates, and how they are asked.
 * What passes (a broker that is away, a leader that has moved) is tried again for a while.
 */
export class Cluster {
  readonly client: KafkaClient
  readonly clock: Clock
  readonly options: ResolvedClusterOptions
  readonly #bootstrap: readonly BrokerAddress[]
  readonly #pools = new Set<ConnectionPool>()
  /** Of requests that are answered soon. */
  readonly #pool: ConnectionPool
  #brokers: ReadonlyMap<number, BrokerAddress> = new Map()
  #versions: ReadonlyMap<number, { readonly min: number; readonly max: number }> = new Map()
  readonly #coordinators = new Map<string, number>()
  readonly #closing = new AbortController()

  private constructor({ client, clock, options, bootstrap }: ClusterParts) {
    this.client = client
    this.clock = clock
    this.options = options
    this.#bootstrap = bootstrap
    this.#pool = this.newPool(options.requestTimeoutMs)
  }

  /** Finds out which brokers there are. Rejects as requests do, after `connectTimeoutMs`. */
  static async connect(parts: ClusterParts): Promise<Cluster> {
    const cluster = new Cluster(parts)
    try {
      const timeoutMs = parts.options.connectTimeoutMs
      await cluster.retrying('opening', () => cluster.#learnVersions(), { timeoutMs })
      await cluster.retrying('opening', () => cluster.metadata([]), { timeoutMs })
      return cluster
    } catch (error) {
      await cluster.close()
      throw error
    }
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  /** The ids of the brokers that there are. */
  get nodes(): readonly number[] {
    return [...this.#brokers.keys()]
  }

  /** How it is called in messages. */
  get name(): string {
    return this.#bootstrap.map(({ host, port }) => `${host}:${port}`).join(', ')
  }

  /**
   * The first of these versions of a request that the brokers speak. Throws
   * ClusterUnsupportedError.
   */
  version<Api extends { readonly key: number; readonly version: number }>(
    request: string,
    versions: readonly Api[],
  ): Api {
    const found = versions.find(({ key, version }) => {
      const range = this.#versions.get(key)
      return range !== undefined && version >= range.min && version <= range.max
    })
    if (found === undefined) throw new ClusterUnsupportedError(request)
    return found
  }

  /** Connections of somebody's own, for requests that are answered late. */
  newPool(requestTimeoutMs: number): ConnectionPool {
    const { clientId, connectTimeoutMs, tls, sasl } = this.options
    const pool = new this.client.ConnectionPool(clientId, {
      connectTimeout: connectTimeoutMs,
      requestTimeout: requestTimeoutMs,
      ...(tls !== null && { tls }),
      ...(sasl !== undefined && { sasl }),
    })
    // Who asks hears of failures; an event that nobody listens to would end the process.
    pool.on('connecting', ({ connection }) => connection.on('error', () => undefined))
    this.#pools.add(pool)
    return pool
  }

  async closePool(pool: ConnectionPool): Promise<void> {
    this.#pools.delete(pool)
    await pool.close().catch(() => undefined)
  }

  /** Does something once, on a connection to a broker. Rejects in our words. */
  async on<Result>(
    node: number,
    ask: (connection: Connection) => Promise<Result>,
    pool: ConnectionPool = this.#pool,
  ): Promise<Result> {
    const address = this.#brokers.get(node)
    if (address === undefined) throw new BrokerAwayError(`broker ${node} is not there`)
    return this.#at(address, ask, pool)
  }

  /** Likewise on any broker that can be reached. */
  async onAny<Result>(ask: (connection: Connection) => Promise<Result>): Promise<Result> {
    let last: unknown = new BrokerAwayError('there is no broker')
    for (const address of [...this.#brokers.values(), ...this.#bootstrap]) {
      try {
        return await this.#at(address, ask, this.#pool)
      } catch (error) {
        if (!(error instanceof BrokerAwayError)) throw error
        last = error
      }
    }
    throw last
  }

  /**
   * Who coordinates a group or a transactional id; does something there, once. Where it has moved,
   * whoever tries again finds the new one.
   */
  async onCoordinator<Result>(
    kind: CoordinatorKind,
    key: string,
    ask: (connection: Connection) => Promise<Result>,
    pool?: ConnectionPool,
  ): Promise<Result> {
    const name = `${kind} ${key}`
    const node = this.#coordinators.get(name) ?? (await this.#findCoordinator(kind, key))
    this.#coordinators.set(name, node)
    try {
      return await this.on(node, ask, pool)
    } catch (error) {
      const hasMoved =
        error instanceof BrokerAwayError ||
        (error instanceof ClusterRefusedError &&
          [kafkaCodes.coordinatorNotAvailable, kafkaCodes.notCoordinator].includes(
            error.kafkaErrorCode as 15 | 16,
          ))
      if (hasMoved) this.#coordinators.delete(name)
      throw error
    }
  }

  /** Topics and who leads their partitions; of all topics when null. Once. */
  async metadata(topics: readonly string[] | null): Promise<MetadataAnswer> {
    const { api } = this.client.metadataV12
    const list = topics === null ? null : [...topics]
    const answer = await this.onAny((connection) => {
      return api.async(connection, list, false, false).catch((error: unknown) => {
        // One of the topics is not there: the answer says which.
        const { response } = error as { readonly response?: MetadataAnswer }
        if (response?.brokers !== undefined) return response
        throw error
      })
    })
    if (answer.brokers.length > 0) {
      this.#brokers = new Map(
        answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]),
      )
    }
    return answer
  }

  /**
   * Tries until it works, fails for good, or takes too long: then it rejects with
   * ClusterUnavailableError. With ClosedError when the cluster is closed meanwhile.
   */
  async retrying<Result>(
    request: string,
    attempt: () => Promise<Result>,
    options: RetryOptions = {},
  ): Promise<Result> {
    const { timeoutMs = this.options.timeoutMs, isPassing: passes = isPassingFailure } = options
    const deadlineMs = this.clock.monotonic() + timeoutMs
    for (let delayMs = retryMsMin; ; delayMs = Math.min(delayMs * 2, retryMsMax)) {
      if (this.isClosed) throw new ClosedError('the cluster')
      try {
        return await attempt()
      } catch (error) {
        if (this.isClosed) throw new ClosedError('the cluster')
        if (!passes(error)) throw error
        const isLate = this.clock.monotonic() + delayMs >= deadlineMs
        if (isLate) throw new ClusterUnavailableError(request, this.name, error)
      }
      await this.#pause(delayMs, options.signal)
      if (options.signal?.aborted === true) throw new ClosedError('who asked')
    }
  }

  /** Ends every connection; whoever waits for an answer is told. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all([...this.#pools].map((pool) => this.closePool(pool)))
  }

  async #at<Result>(
    address: BrokerAddress,
    ask: (connection: Connection) => Promise<Result>,
    pool: ConnectionPool,
  ): Promise<Result> {
    if (this.isClosed) throw new ClosedError('the cluster')
    let connection: Connection | null = null
    try {
      connection = await pool.get({ ...address })
      return await ask(connection)
    } catch (error) {
      const ours = inOurWords(error)
      // A broker that did not answer may answer yet: not to somebody else.
      if (ours instanceof BrokerAwayError) void connection?.close().catch(() => undefined)
      throw ours
    }
  }

  async #learnVersions(): Promise<void> {
    const { api } = this.client.apiVersionsV3
    const { apiKeys } = await this.onAny((connection) => api.async(connection, 'varve', '1'))
    this.#versions = new Map(
      apiKeys.map(({ apiKey, minVersion, maxVersion }) => [
        apiKey,
        { min: minVersion, max: maxVersion },
      ]),
    )
  }

  async #findCoordinator(kind: CoordinatorKind, key: string): Promise<number> {
    const { findCoordinatorV6, findCoordinatorV5, findCoordinatorV4 } = this.client
    const versions = [findCoordinatorV6.api, findCoordinatorV5.api, findCoordinatorV4.api]
    const api = this.version('FindCoordinator', versions)
    const answer = await this.onAny((connection) => {
      return api.async(connection, kind === 'group' ? 0 : 1, [key])
    })
    const [found] = answer.coordinators
    if (found === undefined) throw new BrokerAwayError(`nobody coordinates ${kind} '${key}'`)
    const { nodeId, host, port } = found
    if (!this.#brokers.has(nodeId)) {
      this.#brokers = new Map([...this.#brokers, [nodeId, { host, port }]])
    }
    return nodeId
  }

  #pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel()
        signal?.removeEventListener('abort', end)
        this.#closing.signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = this.clock.setTimer(delayMs, end, { keepsAlive: true })
      signal?.addEventListener('abort', end)
      this.#closing.signal.addEventListener('abort', end)
      if (signal?.aborted === true || this.isClosed) end()
    })
  }
}

/** Whether the same may work a little later. */
export function isPassingFailure(error: unknown): boolean {
  if (error instanceof ClusterAuthenticationError) return false
  if (error instanceof ClusterRefusedError) return isPassing(error.kafkaErrorCode)
  return error instanceof BrokerAwayError
}

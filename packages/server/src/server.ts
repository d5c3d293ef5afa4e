import { strict as assert } from 'node:assert'
import { randomBytes } from 'node:crypto'
import { type DirectoryVarve, openDataDirectory } from '@varve/broker'
import { partsOf, silentLogger } from '@varve/broker/serving'
import { type Clock, systemClock } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'
import { Administration } from './administration/administration.ts'
import type { AdvertisedAddress } from './base/client.ts'
import { RequestTraffic } from './base/request-traffic.ts'
import type { ServerContext } from './base/server-context.ts'
import {
  type ResolvedServerOptions,
  resolveServerOptions,
  type ServerOptions,
} from './base/server-options.ts'
import { ServerState } from './base/server-state.ts'
import { allHandlers } from './handlers/all-handlers.ts'
import type { ListenerFacts } from './http/kafka-metrics.ts'
import type { HttpSide } from './http-side.ts'
import { Admission } from './net/admission.ts'
import { CertificateWatch } from './net/certificate-watch.ts'
import { Complaints } from './net/complaints.ts'
import { Listener } from './net/listener.ts'
import { observedHandlers } from './net/observed-handlers.ts'
import { RequestMemory } from './net/request-memory.ts'
import { SlowClients } from './net/slow-clients.ts'
import { QuotaKeeper } from './quotas/quota-keeper.ts'
import { AclAuthorizer } from './security/acl-authorizer.ts'
import { Logins } from './security/logins.ts'
import { SecurityStore } from './security/security-store.ts'

/** How long connections may take for their last answers when a server closes, in ms. */
const closingMs = 5_000

const lockedOut =
  'there are access rules and no super users: what no rule allows is denied to everybody, and ' +
  'changing the rules too; name some in super.users, or take the rules back in the program that ' +
  'serves, or with varve acl remove --data when it is stopped'
/** Of a directory in memory: retention frees whole segments, and no file grows by copying much. */
const memorySegmentBytes = 16 * 2 ** 20

/**
 * Serves a data directory to Kafka's clients, over TCP.
 *
 * Rejects with InvalidArgumentError, ListenError, CorruptServerStateError, and as
 * `openDataDirectory` does; nothing is left open then.
 *
 * @example
 * ```ts
 * await using server = await startServer({ data: './data', port: 0 })
 * console.log(server.bootstrapServers) // for any Kafka client
 * ```
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const resolved = resolveServerOptions(options)
  const { data, memory = false, varve: given } = options
  const homes = [data !== undefined, memory, given !== undefined].filter(Boolean)
  if (homes.length !== 1) {
    throw new InvalidArgumentError('data', data, 'needs one of data, memory, and an open varve')
  }
  const all = memory ? await inMemory(options) : options
  const { directoryOptions = {}, logger = silentLogger } = all
  const open = () => openDataDirectory(all.data ?? '', { logger, ...directoryOptions })
  const server = new Server(given ?? (await open()), given === undefined, all.clock ?? systemClock)
  try {
    await server.open(all, resolved)
    return server
  } catch (error) {
    await server.close().catch(() => undefined)
    throw error
  }
}

/** The same with a file system of its own, which is loaded for those who ask for it. */
async function inMemory(options: ServerOptions): Promise<ServerOptions> {
  const { SimulatedFileSystem } = await import('@varve/log/testing')
  const { clock = systemClock, directoryOptions = {} } = options
  const fs = new SimulatedFileSystem({ clock, journaled: false })
  const topicDefaults = { segmentBytes: memorySegmentBytes, ...directoryOptions.topicDefaults }
  return {
    ...options,
    data: '/memory',
    directoryOptions: { ...directoryOptions, topicDefaults, fs },
  }
}

/** A data directory that is being served. Made by `startServer`. */
export class Server implements AsyncDisposable {
  /** What is served: programs use it beside the clients. */
  readonly varve: DirectoryVarve
  readonly #ownsVarve: boolean
  readonly #clock: Clock
  readonly #listeners: Listener[] = []
  readonly #stopping = new AbortController()
  #connections = 0
  #isOpen = false
  #http: HttpSide | null = null
  #administration: Administration | null = null
  #slowClients: SlowClients | null = null
  #complaints: Complaints | null = null
  #certificates: CertificateWatch | null = null
  #security: SecurityStore | null = null
  #closing: Promise<void> | null = null

  /** @internal Servers are made by `startServer`. */
  constructor(varve: DirectoryVarve, ownsVarve: boolean, clock: Clock) {
    this.varve = varve
    this.#ownsVarve = ownsVarve
    this.#clock = clock
  }

  /** Where it listens, in the order of its listeners. */
  get addresses(): readonly (AdvertisedAddress & { readonly name: string })[] {
    return this.#listeners.map(({ name, host, port }) => ({ name, host, port }))
  }

  /** For clients: `host:port` of every listener, as they are advertised. */
  get bootstrapServers(): string {
    return this.#listeners
      .map(({ advertised }) => `${advertised.host}:${advertised.port}`)
      .join(',')
  }

  /** Who can log in, and what they may do: to be seen and changed. */
  get security(): SecurityStore {
    if (this.#security === null) assert.fail('servers are given away when they are open')
    return this.#security
  }

  /**
   * Reads the certificates of all listeners again; clients that come from now on are shown what
   * the files hold now. Returns the names of the listeners that have changed.
   *
   * @throws CertificateError listeners before that one have changed
   */
  reloadCertificates(): readonly string[] {
    return this.#listeners
      .filter((listener) => listener.reloadCertificate())
      .map(({ name }) => name)
  }

  /** The same with how many clients are connected there. */
  get listenerFacts(): readonly ListenerFacts[] {
    return this.#listeners.map(({ name, host, port, connections }) => {
      return { name, host, port, connections: connections.size }
    })
  }

  /** The port of the first listener. */
  get port(): number {
    return this.#listeners[0]?.port ?? 0
  }

  /** Where it answers HTTP, as `127.0.0.1:9464`; null where it does not. */
  get httpAddress(): string | null {
    return this.#http?.address ?? null
  }

  /** Whether it takes connections: all listeners are open, and it is not being closed. */
  get isServing(): boolean {
    return this.#isOpen && this.#closing === null
  }

  /** @internal Part of `startServer`. */
  async open(options: ServerOptions, resolved: ResolvedServerOptions): Promise<void> {
    const { context, security } = await this.#context(options, resolved)
    this.#security = security
    const memory = new RequestMemory(resolved.queuedRequestBytesMax)
    this.#administration = await Administration.open(context)
    const traffic = resolved.http === null ? null : new RequestTraffic()
    const all = allHandlers(context, this.#administration, security)
    const logger = options.logRequests === true ? context.logger : null
    const handlers =
      traffic === null && logger === null
        ? all
        : observedHandlers(all, { clock: context.clock, traffic, logger })
    const { limits } = resolved
    const { quotas } = this.#administration
    const throttling = new QuotaKeeper(quotas, limits.requestsPerSecondMax, context.clock)
    const slowClients = new SlowClients(limits, context.clock)
    this.#slowClients = slowClients
    const complaints = new Complaints(context.logger, context.clock)
    this.#complaints = complaints
    const logins = new Logins(security.users, limits, context.clock)
    const shared = {
      ...{ server: context, handlers, memory, slowClients, throttling, complaints },
      admission: new Admission(limits, context.clock, throttling),
      nextConnectionId: () => this.#connections++,
    }
    for (const listener of resolved.listeners) {
      const newLogin = logins.of(listener)
      this.#listeners.push(await Listener.open(listener, { ...shared, newLogin }))
    }
    if (resolved.listeners.some(({ tls }) => tls !== null)) {
      this.#certificates = new CertificateWatch(this.#listeners, context.clock, context.logger)
    }
    if (resolved.http !== null && traffic !== null) {
      // What it needs costs those who do not ask for it nothing.
      const { HttpSide } = await import('./http-side.ts')
      const listeners = (): readonly Listener[] => this.#listeners
      const measured = { context, traffic, throttling }
      this.#http = await HttpSide.open(resolved.http, measured, this, listeners)
    }
    this.#isOpen = true
  }

  /**
   * Takes no more connections and requests, answers those that have come, and closes the data
   * directory where it was opened by `startServer`. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #context(
    options: ServerOptions,
    resolved: ResolvedServerOptions,
  ): Promise<{ readonly context: ServerContext; readonly security: SecurityStore }> {
    const { logger = silentLogger } = options
    const parts = partsOf(this.varve)
    if (parts === null) {
      throw new InvalidArgumentError('varve', this.varve, 'must be an open data directory')
    }
    const state = ServerState.load(parts.fs, parts.topics.directory.path)
    const clusterId = await clusterIdOf(state)
    const security = new SecurityStore(state)
    const { superUsers, accessWithoutAcls } = resolved
    const authorizer = new AclAuthorizer(security.acls, superUsers, accessWithoutAcls)
    if (superUsers.length === 0 && accessWithoutAcls === 'until-any') {
      security.acls.whenAny(() => logger.warn({}, lockedOut))
    }
    const served = { varve: this.varve, parts, options: resolved, clusterId }
    const stopping = this.#stopping.signal
    const context = { ...served, clock: this.#clock, logger, state, authorizer, stopping }
    return { context, security }
  }

  async #close(): Promise<void> {
    for (const listener of this.#listeners) listener.stop()
    this.#stopping.abort()
    this.#slowClients?.stop()
    this.#certificates?.stop()
    const connections = this.#listeners.flatMap((listener) => [...listener.connections])
    const ended = connections.map((connection) => {
      return new Promise<void>((resolve) => {
        connection.onClosed(resolve)
        connection.end()
      })
    })
    const destroy = (): void => {
      for (const connection of connections) connection.destroy()
    }
    const timer = this.#clock.setTimer(closingMs, destroy, { keepsAlive: true })
    await Promise.all(ended)
    timer.cancel()
    this.#complaints?.close()
    await this.#http?.close()
    if (this.#ownsVarve) await this.varve.close()
    else await this.#administration?.close()
  }
}

/** The cluster's id, made when the directory is first served. */
async function clusterIdOf(state: ServerState): Promise<string> {
  const known = state.section('clusterId')
  if (typeof known === 'string' && known !== '') return known
  if (known !== undefined) throw state.damaged('clusterId', 'it is not a text')
  return state.update('clusterId', () => randomBytes(16).toString('base64url'))
}

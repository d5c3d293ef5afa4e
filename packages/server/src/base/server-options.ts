import type { DirectoryVarve, Logger, VarveOptions } from '@varve/broker'
import type { Clock } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'
import {
  type ConnectionLimits,
  type ResolvedConnectionLimits,
  resolveConnectionLimits,
} from './connection-limits.ts'
import {
  type GroupServingOptions,
  type ResolvedGroupServingOptions,
  resolveGroupServingOptions,
} from './group-options.ts'
import { type HttpOptions, type ResolvedHttpOptions, resolveHttpOptions } from './http-options.ts'
import {
  type ListenerOptions,
  type ResolvedListenerOptions,
  resolveListener,
} from './listener-options.ts'
import type { UiOptions } from './ui-options.ts'

export type AccessWithoutAcls = 'until-any' | 'deny' | 'allow'

/** Which batches' records are looked at when they are produced. */
export type CheckedBatches = 'all' | 'uncompressed' | 'none'

export interface ServerOptions extends GroupServingOptions {
  /**
   * The data directory to be served, made where it is not there; it is open as long as the server
   * runs. One of `data`, `memory` and `varve` must be given.
   */
  readonly data?: string
  /**
   * A directory in memory instead, empty and gone with the server: for tests. Its segments have 16
   * MiB unless said otherwise. @defaultValue false
   */
  readonly memory?: boolean
  /** How the data directory is opened. @defaultValue {} */
  readonly directoryOptions?: VarveOptions
  /** An open data directory to be served beside the program that has it; the program closes it. */
  readonly varve?: DirectoryVarve
  /** One listener without a name of its own. @defaultValue '127.0.0.1' */
  readonly host?: string
  /** @defaultValue 9092 */
  readonly port?: number
  /** Several, instead of `host` and `port`. */
  readonly listeners?: readonly ListenerOptions[]
  /** The broker's id, which clients see. @defaultValue 1 */
  readonly nodeId?: number
  /** Whether asking for a topic makes it: Kafka's auto.create.topics.enable. @defaultValue true */
  readonly autoCreateTopics?: boolean
  /** How many partitions a topic gets where nothing is said: num.partitions. @defaultValue 1 */
  readonly numPartitions?: number
  /**
   * The longest time-out that a transactional producer may ask for, in ms: Kafka's
   * transaction.max.timeout.ms. @defaultValue 900000, 15 min
   */
  readonly transactionTimeoutMsMax?: number
  /**
   * What becomes of a topic that is asked for with more than one copy of its partitions: `accept`
   * makes it with one, which is what is told of it; `refuse` answers as a cluster of one broker
   * does. Many programs ask for two or three. @defaultValue 'accept'
   */
  readonly replicationFactor?: 'accept' | 'refuse'
  /**
   * Whose records are looked at before they are appended: `'all'`, as Kafka does it,
   * `'uncompressed'`, since decompressing costs many times what appending does, or `'none'`. Of
   * others only the checksum and the header are checked, and what readers make of them is up to
   * their producers. Where a topic asks for keys, or limits timestamps in the past, they are looked
   * at in any case.
   * @defaultValue 'all'
   */
  readonly checkRecords?: CheckedBatches
  /** The largest request: Kafka's socket.request.max.bytes. @defaultValue 104857600, 100 MiB */
  readonly requestBytesMax?: number
  /**
   * Memory for requests that have come and are not answered, of all connections: Kafka's
   * queued.max.request.bytes. @defaultValue 268435456, 256 MiB
   */
  readonly queuedRequestBytesMax?: number
  /**
   * The most that one fetch is answered with, whatever the client asks for, but for a first batch
   * that is larger: Kafka's fetch.max.bytes of a broker. Kafka has files sent by the system; here
   * it is memory, of each client at once. @defaultValue 8388608, 8 MiB (Kafka: 55 MiB)
   */
  readonly fetchBytesMax?: number
  /** Silence after which a connection is closed, in ms. @defaultValue 600000, Kafka's 10 min */
  readonly connectionIdleMsMax?: number
  /** Health and metrics over HTTP; none unless it is asked for. @defaultValue none */
  readonly http?: HttpOptions
  /** What clients may take. @defaultValue {} */
  readonly limits?: ConnectionLimits
  /** Who may do everything, as `'User:admin'`: Kafka's super.users. @defaultValue [] */
  readonly superUsers?: readonly string[]
  /**
   * Whether others may do what no access rule speaks of: `'until-any'` lets them as long as there
   * is no rule at all, `'deny'` never, `'allow'` where no rule names the resource (Kafka's
   * allow.everyone.if.no.acl.found). @defaultValue 'until-any'
   */
  readonly accessWithoutAcls?: AccessWithoutAcls
  /**
   * The page to look at, at `/ui/` of the HTTP listener, which is opened with its defaults where
   * `http` is not given. @defaultValue none
   */
  readonly ui?: UiOptions
  /** Told of what an operator should know; a `pino` logger fits. @defaultValue none */
  readonly logger?: Logger
  /** Whether the logger gets a line, of level debug, for each request. @defaultValue false */
  readonly logRequests?: boolean
  /** @defaultValue the machine's */
  readonly clock?: Clock
}

export interface ResolvedServerOptions extends ResolvedGroupServingOptions {
  readonly listeners: readonly ResolvedListenerOptions[]
  readonly nodeId: number
  readonly autoCreateTopics: boolean
  readonly numPartitions: number
  readonly transactionTimeoutMsMax: number
  readonly replicationFactor: 'accept' | 'refuse'
  readonly checkRecords: CheckedBatches
  readonly requestBytesMax: number
  readonly queuedRequestBytesMax: number
  readonly fetchBytesMax: number
  readonly connectionIdleMsMax: number
  /** Null for no listener of HTTP. */
  readonly http: ResolvedHttpOptions | null
  readonly limits: ResolvedConnectionLimits
  readonly superUsers: readonly string[]
  readonly accessWithoutAcls: AccessWithoutAcls
  /** Null for no page. */
  readonly ui: UiOptions | null
}

/** Throws InvalidArgumentError. */
export function resolveServerOptions(options: ServerOptions): ResolvedServerOptions {
  const { nodeId = 1, autoCreateTopics = true, numPartitions = 1 } = options
  const { transactionTimeoutMsMax = 900_000 } = options
  const { requestBytesMax = 100 * 2 ** 20, queuedRequestBytesMax = 256 * 2 ** 20 } = options
  const { fetchBytesMax = 8 * 2 ** 20 } = options
  const { connectionIdleMsMax = 600_000, replicationFactor = 'accept' } = options
  const { limits = {}, checkRecords = 'all' } = options
  const { superUsers = [], accessWithoutAcls = 'until-any' } = options
  checkWhole('nodeId', nodeId, 0)
  checkWhole('numPartitions', numPartitions, 1)
  checkWhole('transactionTimeoutMsMax', transactionTimeoutMsMax, 1)
  checkWhole('requestBytesMax', requestBytesMax, 1024)
  checkWhole('queuedRequestBytesMax', queuedRequestBytesMax, requestBytesMax)
  checkWhole('fetchBytesMax', fetchBytesMax, 1024)
  checkWhole('connectionIdleMsMax', connectionIdleMsMax, 1)
  if (replicationFactor !== 'accept' && replicationFactor !== 'refuse') {
    throw new InvalidArgumentError('replicationFactor', replicationFactor, 'accept or refuse')
  }
  if (!['all', 'uncompressed', 'none'].includes(checkRecords)) {
    throw new InvalidArgumentError('checkRecords', checkRecords, 'all, uncompressed or none')
  }
  checkAccess(superUsers, accessWithoutAcls)
  return {
    listeners: listenersOf(options),
    ...{ nodeId, autoCreateTopics, numPartitions, transactionTimeoutMsMax },
    ...{ limits: resolveConnectionLimits(limits), superUsers, accessWithoutAcls },
    ...{ replicationFactor, checkRecords },
    ...{ requestBytesMax, queuedRequestBytesMax, fetchBytesMax, connectionIdleMsMax },
    ...resolveGroupServingOptions(options),
    ...httpSideOf(options),
  }
}

function httpSideOf({ http, ui }: ServerOptions): Pick<ResolvedServerOptions, 'http' | 'ui'> {
  const wanted = http ?? (ui === undefined ? undefined : {})
  return {
    http: wanted === undefined ? null : resolveHttpOptions(wanted),
    ui: ui ?? null,
  }
}

function listenersOf(options: ServerOptions): readonly ResolvedListenerOptions[] {
  const { host, port, listeners } = options
  if (listeners === undefined) {
    return [
      resolveListener({ ...(host !== undefined && { host }), ...(port !== undefined && { port }) }),
    ]
  }
  if (host !== undefined || port !== undefined) {
    throw new InvalidArgumentError('listeners', listeners, 'stand instead of host and port')
  }
  if (listeners.length === 0) {
    throw new InvalidArgumentError('listeners', listeners, 'must be one at least')
  }
  const resolved = listeners.map(resolveListener)
  const names = new Set(resolved.map(({ name }) => name))
  if (names.size < resolved.length) {
    throw new InvalidArgumentError('listeners', [...names], 'each needs a name of its own')
  }
  return resolved
}

function checkAccess(superUsers: readonly string[], without: AccessWithoutAcls): void {
  const unreadable = superUsers.find((principal) => !/^[^:]+:./s.test(principal))
  if (unreadable !== undefined) {
    throw new InvalidArgumentError('superUsers', unreadable, "must be written as 'User:name'")
  }
  if (['until-any', 'deny', 'allow'].includes(without)) return
  throw new InvalidArgumentError('accessWithoutAcls', without, 'must be until-any, deny or allow')
}

function checkWhole(name: string, value: number, min: number): void {
  if (Number.isSafeInteger(value) && value >= min) return
  throw new InvalidArgumentError(name, value, `must be a whole number of at least ${min}`)
}

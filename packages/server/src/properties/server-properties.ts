import type { CleaningOptions, TopicSettings, VarveOptions } from '@varve/broker'
import type { GroupMigrationPolicy } from '@varve/broker/serving'
import { InvalidArgumentError } from '@varve/record'
import type { ConnectionLimits } from '../base/connection-limits.ts'
import type { ServerOptions } from '../base/server-options.ts'
import { settingsWithoutEffect } from './ineffective-settings.ts'
import { listOf } from './listener-addresses.ts'
import { isListenerSetting, listenerSettings, listenersOf } from './listener-properties.ts'
import { nearestName } from './nearest-name.ts'

/** What a `server.properties` comes to. */
export interface ConfiguredServer {
  /** For `startServer`; `data` is there where the file has `log.dirs`. */
  readonly options: ServerOptions
  /** Settings of Kafka's that do nothing here: one node, one process, one copy. */
  readonly ignored: readonly string[]
}

type Mutable<Options> = { -readonly [Name in keyof Options]: Options[Name] }

/** Options as they are put together. */
interface Draft {
  readonly server: Mutable<ServerOptions>
  readonly topic: Mutable<TopicSettings>
  readonly cleaning: Mutable<CleaningOptions>
  readonly limits: Mutable<ConnectionLimits>
  readonly directory: Mutable<
    Pick<VarveOptions, 'transactionalIdExpirationMs' | 'offsetsRetentionMs'>
  >
}

/** Puts a value where it belongs. Throws InvalidArgumentError for one that cannot be read. */
type Put = (draft: Draft, value: string, name: string) => void

const hourMs = 3_600_000

/**
 * Kafka's names and what they set. Where Kafka has several for one thing, the one that counts more
 * stands later.
 */
const settings: Readonly<Record<string, Put>> = {
  'broker.id': server('nodeId', whole),
  'node.id': server('nodeId', whole),
  'log.dir': data,
  'log.dirs': data,
  'num.partitions': server('numPartitions', whole),
  'auto.create.topics.enable': server('autoCreateTopics', yesOrNo),
  'socket.request.max.bytes': server('requestBytesMax', whole),
  'queued.max.request.bytes': server('queuedRequestBytesMax', whole),
  'fetch.max.bytes': server('fetchBytesMax', whole),
  'connections.max.idle.ms': server('connectionIdleMsMax', whole),
  'transaction.max.timeout.ms': server('transactionTimeoutMsMax', whole),
  'super.users': server('superUsers', (value) => {
    return value
      .split(';')
      .map((each) => each.trim())
      .filter((each) => each !== '')
  }),
  'allow.everyone.if.no.acl.found': server('accessWithoutAcls', (value, name) => {
    return yesOrNo(value, name) ? 'allow' : 'deny'
  }),
  'max.connections': limits('connectionsMax', whole),
  'max.connections.per.ip': limits('connectionsPerAddressMax', whole),
  'max.connection.creation.rate': limits('connectionsPerSecondMax', whole),
  'varve.check.records': server('checkRecords', (value) => value as 'all'),
  'varve.max.connection.request.rate': limits('requestsPerSecondMax', whole),
  'connections.max.reauth.ms': limits('loginLifetimeMs', whole),
  'transactional.id.expiration.ms': directory('transactionalIdExpirationMs', whole),
  'offsets.retention.minutes': directory('offsetsRetentionMs', inMs(60_000)),
  'group.initial.rebalance.delay.ms': server('groupInitialRebalanceDelayMs', whole),
  'group.max.size': server('groupSizeMax', whole),
  'group.min.session.timeout.ms': server('groupSessionTimeoutMsMin', whole),
  'group.max.session.timeout.ms': server('groupSessionTimeoutMsMax', whole),
  'group.consumer.session.timeout.ms': server('groupConsumerSessionTimeoutMs', whole),
  'group.consumer.min.session.timeout.ms': server('groupConsumerSessionTimeoutMsMin', whole),
  'group.consumer.max.session.timeout.ms': server('groupConsumerSessionTimeoutMsMax', whole),
  'group.consumer.heartbeat.interval.ms': server('groupConsumerHeartbeatIntervalMs', whole),
  'group.consumer.min.heartbeat.interval.ms': server('groupConsumerHeartbeatIntervalMsMin', whole),
  'group.consumer.max.heartbeat.interval.ms': server('groupConsumerHeartbeatIntervalMsMax', whole),
  'group.consumer.assignment.interval.ms': server('groupConsumerAssignmentIntervalMs', whole),
  'group.consumer.max.size': server('groupConsumerSizeMax', whole),
  'group.consumer.migration.policy': server('groupConsumerMigrationPolicy', (value) => {
    // One that there is not is told when the options are resolved.
    return value.toLowerCase() as GroupMigrationPolicy
  }),
  'message.max.bytes': topic('maxMessageBytes', whole),
  'compression.type': topic('compressionType', (value) => value as 'producer'),
  'log.cleanup.policy': topic('cleanupPolicy', (value) => listOf(value) as readonly 'delete'[]),
  'log.retention.hours': topic('retentionMs', inMs(hourMs)),
  'log.retention.minutes': topic('retentionMs', inMs(60_000)),
  'log.retention.ms': topic('retentionMs', limit),
  'log.retention.bytes': topic('retentionBytes', limit),
  'log.segment.bytes': topic('segmentBytes', whole),
  'log.roll.hours': topic('segmentMs', inMs(hourMs)),
  'log.roll.ms': topic('segmentMs', whole),
  'log.roll.jitter.hours': topic('segmentJitterMs', inMs(hourMs)),
  'log.roll.jitter.ms': topic('segmentJitterMs', whole),
  'log.index.size.max.bytes': topic('segmentIndexBytes', whole),
  'log.index.interval.bytes': topic('indexIntervalBytes', whole),
  'log.segment.delete.delay.ms': topic('fileDeleteDelayMs', whole),
  'log.preallocate': topic('preallocate', yesOrNo),
  'log.flush.interval.messages': topic('flushMessages', limit),
  'log.flush.interval.ms': topic('flushMs', limit),
  'log.message.timestamp.type': topic('messageTimestampType', (value) => value as 'CreateTime'),
  'log.message.timestamp.before.max.ms': topic('messageTimestampBeforeMaxMs', limit),
  'log.message.timestamp.after.max.ms': topic('messageTimestampAfterMaxMs', limit),
  'log.cleaner.min.cleanable.ratio': topic('minCleanableDirtyRatio', fraction),
  'log.cleaner.min.compaction.lag.ms': topic('minCompactionLagMs', whole),
  'log.cleaner.max.compaction.lag.ms': topic('maxCompactionLagMs', limit),
  'log.cleaner.delete.retention.ms': topic('deleteRetentionMs', whole),
  'log.cleaner.threads': cleaning('workers', whole),
  'log.cleaner.dedupe.buffer.size': cleaning('mapBytes', whole),
  'log.cleaner.io.max.bytes.per.second': cleaning('ioBytesPerSecond', ioRate),
  'log.cleaner.backoff.ms': cleaning('compactionIntervalMs', whole),
  'log.retention.check.interval.ms': cleaning('retentionIntervalMs', whole),
  'log.cleaner.enable': onlyTrue,
  'delete.topic.enable': onlyTrue,
}

/**
 * The options of a server out of settings with Kafka's names, as in its `server.properties`.
 *
 * Throws InvalidArgumentError for a name that is not known, with the one that may be meant, and for
 * values that cannot be read. What values are allowed, `startServer` says.
 */
export function configureServer(properties: ReadonlyMap<string, string>): ConfiguredServer {
  const ignored: string[] = []
  for (const name of properties.keys()) {
    if (Object.hasOwn(settings, name) || isListenerSetting(name)) continue
    if (!settingsWithoutEffect.has(name)) throw unknownSetting(name)
    ignored.push(name)
  }
  const draft: Draft = {
    ...{ server: {}, topic: {}, cleaning: {}, limits: {}, directory: {} },
  }
  for (const [name, put] of Object.entries(settings)) {
    const value = properties.get(name)
    if (value !== undefined) put(draft, value, name)
  }
  const listeners = listenersOf(properties)
  const directoryOptions = {
    ...(Object.keys(draft.topic).length > 0 && { topicDefaults: draft.topic }),
    ...(Object.keys(draft.cleaning).length > 0 && { cleaning: draft.cleaning }),
    ...draft.directory,
  }
  const options = {
    ...draft.server,
    ...(listeners !== null && { listeners }),
    ...(Object.keys(draft.limits).length > 0 && { limits: draft.limits }),
    ...(Object.keys(directoryOptions).length > 0 && { directoryOptions }),
  }
  return { options, ignored }
}

function unknownSetting(name: string): InvalidArgumentError {
  const known = [...Object.keys(settings), ...listenerSettings, ...settingsWithoutEffect]
  const nearest = nearestName(name, known)
  const hint = nearest === null ? '' : `; the nearest is ${nearest}`
  return new InvalidArgumentError('the setting', name, `there is none of that name${hint}`)
}

function server<Name extends keyof ServerOptions>(
  option: Name,
  parse: (value: string, name: string) => NonNullable<ServerOptions[Name]>,
): Put {
  return (draft, value, name) => {
    draft.server[option] = parse(value, name) as ServerOptions[Name]
  }
}

function topic<Name extends keyof TopicSettings>(
  option: Name,
  parse: (value: string, name: string) => NonNullable<TopicSettings[Name]>,
): Put {
  return (draft, value, name) => {
    draft.topic[option] = parse(value, name) as TopicSettings[Name]
  }
}

function cleaning<Name extends keyof CleaningOptions>(
  option: Name,
  parse: (value: string, name: string) => NonNullable<CleaningOptions[Name]>,
): Put {
  return (draft, value, name) => {
    draft.cleaning[option] = parse(value, name) as CleaningOptions[Name]
  }
}

function directory<Name extends keyof Draft['directory']>(
  option: Name,
  parse: (value: string, name: string) => number,
): Put {
  return (draft, value, name) => {
    draft.directory[option] = parse(value, name)
  }
}

function limits<Name extends keyof ConnectionLimits>(
  option: Name,
  parse: (value: string, name: string) => NonNullable<ConnectionLimits[Name]>,
): Put {
  return (draft, value, name) => {
    draft.limits[option] = parse(value, name) as ConnectionLimits[Name]
  }
}

function data(draft: Draft, value: string, name: string): void {
  const directories = listOf(value)
  if (directories.length !== 1 || directories[0] === undefined) {
    throw new InvalidArgumentError(name, value, 'must be one directory')
  }
  draft.server.data = directories[0]
}

/** What cannot be switched off is not said to be. */
function onlyTrue(_: Draft, value: string, name: string): void {
  if (!yesOrNo(value, name)) throw new InvalidArgumentError(name, value, 'must be true')
}

function whole(value: string, name: string): number {
  const number = Number(value)
  if (/^-?\d+$/.test(value) && Number.isSafeInteger(number)) return number
  throw new InvalidArgumentError(name, value, 'must be a whole number')
}

/** Kafka writes "without limit" as the largest int64 here and there. */
function limit(value: string, name: string): number {
  if (/^\d{16,19}$/.test(value)) return -1
  return whole(value, name)
}

function inMs(unitMs: number): (value: string, name: string) => number {
  return (value, name) => {
    const number = limit(value, name)
    return number === -1 ? -1 : number * unitMs
  }
}

function fraction(value: string, name: string): number {
  const number = Number(value)
  if (value !== '' && Number.isFinite(number)) return number
  throw new InvalidArgumentError(name, value, 'must be a number')
}

/** Kafka's default is the largest double; 0 is no limit here. */
function ioRate(value: string, name: string): number {
  const number = fraction(value, name)
  return number >= Number.MAX_SAFE_INTEGER ? 0 : Math.floor(number)
}

function yesOrNo(value: string, name: string): boolean {
  if (/^true$/i.test(value)) return true
  if (/^false$/i.test(value)) return false
  throw new InvalidArgumentError(name, value, 'must be true or false')
}

import { defaultLogOptions, type LogOptions } from '@varve/log'
import { type CompressionType, InvalidArgumentError } from '@varve/record'
import { isInternalTopic } from './topic-names.ts'

/** What becomes of old records: whole segments are deleted, or all but the latest of a key are. */
export type CleanupPolicy = 'delete' | 'compact'

/**
 * A topic's settings: Kafka's names, camel-cased, and Kafka's defaults. Sizes are in bytes, times
 * in milliseconds, and -1 means "without limit" where a setting allows it.
 */
export interface TopicSettings {
  /** One or both. @defaultValue ['delete'] */
  readonly cleanupPolicy?: CleanupPolicy | readonly CleanupPolicy[]
  /** Segments are deleted when their newest record is older. -1 never. @defaultValue 7 days */
  readonly retentionMs?: number
  /** Oldest segments are deleted while a partition is larger. -1 never. @defaultValue -1 */
  readonly retentionBytes?: number
  /** Size at which a segment is sealed. @defaultValue 1 GiB */
  readonly segmentBytes?: number
  /** Age at which a segment is sealed. @defaultValue 7 days */
  readonly segmentMs?: number
  /** Upper bound of a random part taken off `segmentMs`. @defaultValue 0 */
  readonly segmentJitterMs?: number
  /** Largest size of an index file. @defaultValue 10 MiB */
  readonly segmentIndexBytes?: number
  /** Bytes of log between two index entries. @defaultValue 4096 */
  readonly indexIntervalBytes?: number
  /** Part of a log that must be dirty for compaction to be worth it, 0 to 1. @defaultValue 0.5 */
  readonly minCleanableDirtyRatio?: number
  /** A record younger than this is not compacted. @defaultValue 0 */
  readonly minCompactionLagMs?: number
  /** A record older than this is compacted however clean the log is. -1 never. @defaultValue -1 */
  readonly maxCompactionLagMs?: number
  /** How long a tombstone stays after it was first compacted. @defaultValue 24 h */
  readonly deleteRetentionMs?: number
  /** Largest batch, compressed, header included. @defaultValue 1 MiB + 12 */
  readonly maxMessageBytes?: number
  /** Whose time records have: the producer's, or the log's. @defaultValue 'CreateTime' */
  readonly messageTimestampType?: 'CreateTime' | 'LogAppendTime'
  /** A record's own timestamp may be so far in the past. -1 any. @defaultValue -1 */
  readonly messageTimestampBeforeMaxMs?: number
  /** A record's own timestamp may be so far in the future. -1 any. @defaultValue 1 h */
  readonly messageTimestampAfterMaxMs?: number
  /**
   * Codec of the topic's batches; `producer` leaves it to each producer.
   * @defaultValue 'producer'
   */
  readonly compressionType?: 'producer' | 'uncompressed' | Exclude<CompressionType, 'none'>
  /** Flush when so many records are unflushed, whatever their `acks`. -1 never. @defaultValue -1 */
  readonly flushMessages?: number
  /** Flush when the oldest unflushed record is so old. -1 never. @defaultValue -1 */
  readonly flushMs?: number
  /** How long a deleted segment's files stay for other processes. @defaultValue 60 s */
  readonly fileDeleteDelayMs?: number
  /** Extend the active segment's file ahead of the data. @defaultValue false */
  readonly preallocate?: boolean
  /**
   * Varve's own: a record older than this is not delivered to consumers any more, and compaction
   * drops it. -1 never. @defaultValue -1
   */
  readonly recordTtlMs?: number
  /**
   * Varve's own: retention by time and size deletes nothing that these consumer groups have not
   * committed past. @defaultValue []
   */
  readonly holdForGroups?: readonly string[]
  /** Varve's own: at most so many bytes are kept for those groups. -1 any. @defaultValue -1 */
  readonly holdBytesMax?: number
  /** Varve's own: nothing older than this is kept for those groups. -1 ever. @defaultValue -1 */
  readonly holdMsMax?: number
  /**
   * Settings that mean something in a cluster only, by Kafka's names, as `min.insync.replicas`:
   * kept with the topic, told to Kafka's clients, and given to a cluster. @defaultValue {}
   */
  readonly kafkaSettings?: Readonly<Record<string, string>>
}

/** Every setting of a topic, each with a value. */
export type ResolvedTopicSettings = Required<Omit<TopicSettings, 'cleanupPolicy'>> & {
  readonly cleanupPolicy: readonly CleanupPolicy[]
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const int32Max = 2 ** 31 - 1

/** What topics do where nothing else is said: Kafka’s values. */
export const defaultTopicSettings: ResolvedTopicSettings = Object.freeze({
  cleanupPolicy: Object.freeze(['delete'] as const),
  retentionMs: 7 * dayMs,
  retentionBytes: -1,
  segmentBytes: 2 ** 30,
  segmentMs: 7 * dayMs,
  segmentJitterMs: 0,
  segmentIndexBytes: 10 * 2 ** 20,
  indexIntervalBytes: 4096,
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: -1,
  deleteRetentionMs: dayMs,
  maxMessageBytes: 2 ** 20 + 12,
  messageTimestampType: 'CreateTime',
  messageTimestampBeforeMaxMs: -1,
  messageTimestampAfterMaxMs: hourMs,
  compressionType: 'producer',
  flushMessages: -1,
  flushMs: -1,
  fileDeleteDelayMs: 60_000,
  preallocate: false,
  recordTtlMs: -1,
  holdForGroups: Object.freeze([]),
  holdBytesMax: -1,
  holdMsMax: -1,
  kafkaSettings: Object.freeze({}),
})

type Rule = (value: unknown) => string | null

const integer =
  (min: number, max: number = Number.MAX_SAFE_INTEGER): Rule =>
  (value) => {
    const isInside = Number.isSafeInteger(value) && (value as number) >= min
    if (isInside && (value as number) <= max) return null
    return max === Number.MAX_SAFE_INTEGER
      ? `must be an integer of at least ${min}`
      : `must be an integer from ${min} to ${max}`
  }
/** -1 for "without limit", else an integer of at least `min`. */
const limit =
  (min: number): Rule =>
  (value) => {
    const isInside = Number.isSafeInteger(value) && (value as number) >= min
    return value === -1 || isInside ? null : `must be -1 or an integer of at least ${min}`
  }
const choice =
  (...values: readonly unknown[]): Rule =>
  (value) =>
    values.includes(value) ? null : `must be one of ${values.join(', ')}`

const ratio: Rule = (value) =>
  typeof value === 'number' && value >= 0 && value <= 1 ? null : 'must be a number from 0 to 1'

const policies: Rule = (value) => {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  const isKnown = list.every((policy) => policy === 'delete' || policy === 'compact')
  const isSet = list.length > 0 && new Set(list).size === list.length
  return isKnown && isSet ? null : 'must be delete, compact, or both of them in an array'
}

const names: Rule = (value) => {
  const isName = (name: unknown): boolean => typeof name === 'string' && name !== ''
  return Array.isArray(value) && value.every(isName) ? null : 'must be an array of names'
}

const kafkaSettingsMax = 64
const kafkaValueCharactersMax = 4096

const kafkaTexts: Rule = (value) => {
  const rule = `must be an object of at most ${kafkaSettingsMax} texts, by Kafka's names`
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return rule
  const entries = Object.entries(value)
  const isRight = entries.every(([name, text]) => {
    const isText = typeof text === 'string' && text.length <= kafkaValueCharactersMax
    return isText && /^[a-z0-9.]{1,100}$/.test(name)
  })
  return isRight && entries.length <= kafkaSettingsMax ? null : rule
}

/** Kafka's ranges (its LogConfig), except that a segment must hold at least a batch header. */
const rules: { readonly [Name in keyof ResolvedTopicSettings]: Rule } = {
  cleanupPolicy: policies,
  retentionMs: limit(0),
  retentionBytes: limit(0),
  segmentBytes: integer(61, int32Max),
  segmentMs: integer(1),
  segmentJitterMs: integer(0),
  segmentIndexBytes: integer(24, int32Max),
  indexIntervalBytes: integer(0, int32Max),
  minCleanableDirtyRatio: ratio,
  minCompactionLagMs: integer(0),
  maxCompactionLagMs: limit(1),
  deleteRetentionMs: integer(0),
  maxMessageBytes: integer(61, int32Max),
  messageTimestampType: choice('CreateTime', 'LogAppendTime'),
  messageTimestampBeforeMaxMs: limit(0),
  messageTimestampAfterMaxMs: limit(0),
  compressionType: choice('producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'),
  flushMessages: limit(1),
  flushMs: limit(0),
  fileDeleteDelayMs: integer(0),
  preallocate: choice(true, false),
  recordTtlMs: limit(1),
  holdForGroups: names,
  holdBytesMax: limit(0),
  holdMsMax: limit(0),
  kafkaSettings: kafkaTexts,
}

/** The names of all settings. */
export const topicSettingNames = Object.keys(rules) as ReadonlyArray<keyof TopicSettings>

/**
 * Checks settings, each by itself. `undefined` counts as not given. Returns those that are given.
 *
 * @throws {InvalidArgumentError} that says which values are allowed, or that there is no such
 *   setting.
 */
export function checkTopicSettings(settings: TopicSettings): TopicSettings {
  if (typeof settings !== 'object' || settings === null) {
    throw new InvalidArgumentError('settings', settings, 'must be an object')
  }
  const given: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) continue
    if (!Object.hasOwn(rules, name)) {
      throw new InvalidArgumentError(name, value, 'there is no such topic setting')
    }
    const problem = rules[name as keyof ResolvedTopicSettings](value)
    if (problem !== null) throw new InvalidArgumentError(name, value, problem)
    given[name] = name === 'cleanupPolicy' && !Array.isArray(value) ? [value] : value
  }
  return given
}

/**
 * Fills in what is not given, and checks what settings have to do with each other.
 *
 * @throws {InvalidArgumentError}
 */
export function resolveTopicSettings(
  settings: TopicSettings,
  defaults: TopicSettings = {},
): ResolvedTopicSettings {
  const resolved = {
    ...defaultTopicSettings,
    ...checkTopicSettings(defaults),
    ...checkTopicSettings(settings),
  } as ResolvedTopicSettings
  const { minCompactionLagMs, maxCompactionLagMs } = resolved
  if (maxCompactionLagMs >= 0 && minCompactionLagMs > maxCompactionLagMs) {
    const rule = `must not be more than maxCompactionLagMs, which is ${maxCompactionLagMs}`
    throw new InvalidArgumentError('minCompactionLagMs', minCompactionLagMs, rule)
  }
  return Object.freeze(resolved)
}

/** What of a topic's settings concerns the logs of its partitions. */
export function logOptionsOf(settings: ResolvedTopicSettings): LogOptions {
  const { compressionType, flushMessages, flushMs } = settings
  const isCodec = compressionType !== 'producer' && compressionType !== 'uncompressed'
  return {
    segmentBytes: settings.segmentBytes,
    segmentMs: settings.segmentMs,
    segmentJitterMs: settings.segmentJitterMs,
    segmentIndexBytes: settings.segmentIndexBytes,
    indexIntervalBytes: settings.indexIntervalBytes,
    maxMessageBytes: settings.maxMessageBytes,
    messageTimestampType: settings.messageTimestampType,
    compressionType: isCodec ? compressionType : 'none',
    flushMessages: flushMessages < 0 ? defaultLogOptions.flushMessages : flushMessages,
    flushMs: flushMs < 0 ? defaultLogOptions.flushMs : flushMs,
    fileDeleteDelayMs: settings.fileDeleteDelayMs,
    preallocate: settings.preallocate,
  }
}

/** Settings to change: a value to set, null to go back to the default. */
export type TopicAlteration = {
  readonly [Name in keyof TopicSettings]?: TopicSettings[Name] | null
}

/** Settings after an alteration; whether they are right is not looked at. */
export function alteredSettings(before: TopicSettings, alteration: TopicAlteration): TopicSettings {
  const altered: Record<string, unknown> = { ...before }
  for (const [name, value] of Object.entries(alteration)) {
    if (value === null) delete altered[name]
    else if (value !== undefined) altered[name] = value
  }
  return altered
}

const partitionsMax = 100_000

/** Throws InvalidArgumentError for what is no number of partitions, or fewer than there must be. */
export function checkPartitions(partitions: number, min: number): void {
  if (Number.isInteger(partitions) && partitions >= min && partitions <= partitionsMax) return
  const rule = `must be an integer from ${min} to ${partitionsMax}; partitions are never taken away`
  throw new InvalidArgumentError('partitions', partitions, rule)
}

/** Kafka's for `__consumer_offsets` and `__transaction_state`. */
const internalSettings: TopicSettings = { cleanupPolicy: ['compact'], segmentBytes: 100 * 2 ** 20 }

/** What holds for a topic where it has no settings of its own. */
export function defaultsOf(topic: string, defaults: TopicSettings): TopicSettings {
  return isInternalTopic(topic) ? { ...defaults, ...internalSettings } : defaults
}

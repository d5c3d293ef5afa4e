import type { TopicSettings } from '@varve/broker'
import type { ConfigType } from './config-entry.ts'

/** A setting of topics as Kafka's clients know it. */
export interface TopicConfig {
  /** Kafka's name; Varve's own begin with `varve.`. */
  readonly name: string
  readonly type: ConfigType
  /** What it is called where settings of topics are kept; null for one without effect. */
  readonly setting: keyof TopicSettings | null
  /** The broker's setting that holds where a topic has none; null where there is no such. */
  readonly brokerName: string | null
  /** Whether -1 is told as the largest long, which is Kafka's default of it. */
  readonly isUnlimited: boolean
  readonly documentation: string
}

/** A setting without effect here: what it is where nothing is said, and what it may be. */
export interface KeptConfig extends TopicConfig {
  readonly setting: null
  readonly usual: string
  /** A rule that the value breaks; null where it is right. */
  readonly problem: (value: unknown) => string | null
  /** Whether it is told only where it was set: Kafka 4 does not know it any more. */
  readonly isOld: boolean
}

const had =
  (type: ConfigType, isUnlimited = false) =>
  (
    name: string,
    setting: keyof TopicSettings,
    brokerName: string | null,
    documentation: string,
  ): TopicConfig => ({ name, type, setting, brokerName, isUnlimited, documentation })

const string = had('string')
const list = had('list')
const boolean = had('boolean')
const int = had('int')
const long = had('long')
const double = had('double')
const unlimited = had('long', true)

/** The settings that do something, in the order in which people look for them. */
export const topicConfigs: readonly TopicConfig[] = [
  list(
    'cleanup.policy',
    'cleanupPolicy',
    'log.cleanup.policy',
    'What becomes of old records: delete removes whole segments, compact all but the newest ' +
      'record of each key; both may be named.',
  ),
  long(
    'retention.ms',
    'retentionMs',
    'log.retention.ms',
    'Segments are deleted when their newest record is older than this; -1 keeps them for ever.',
  ),
  long(
    'retention.bytes',
    'retentionBytes',
    'log.retention.bytes',
    'The oldest segments are deleted while a partition is larger than this; -1 is any size.',
  ),
  int(
    'segment.bytes',
    'segmentBytes',
    'log.segment.bytes',
    'The size at which a segment is sealed and the next one begun.',
  ),
  long(
    'segment.ms',
    'segmentMs',
    'log.roll.ms',
    'The age at which a segment is sealed though it is not full, so that retention gets at it.',
  ),
  long(
    'segment.jitter.ms',
    'segmentJitterMs',
    'log.roll.jitter.ms',
    'Up to so much, at random, is taken off segment.ms, so that not all segments end at once.',
  ),
  int(
    'segment.index.bytes',
    'segmentIndexBytes',
    'log.index.size.max.bytes',
    'How large an index file grows before its segment is sealed.',
  ),
  int(
    'index.interval.bytes',
    'indexIntervalBytes',
    'log.index.interval.bytes',
    'Bytes of records between two entries of an index.',
  ),
  double(
    'min.cleanable.dirty.ratio',
    'minCleanableDirtyRatio',
    'log.cleaner.min.cleanable.ratio',
    'The part of a log that has to be dirty before it is worth being compacted, from 0 to 1.',
  ),
  long(
    'min.compaction.lag.ms',
    'minCompactionLagMs',
    'log.cleaner.min.compaction.lag.ms',
    'A record younger than this is not compacted.',
  ),
  unlimited(
    'max.compaction.lag.ms',
    'maxCompactionLagMs',
    'log.cleaner.max.compaction.lag.ms',
    'A record older than this is compacted however clean its log is.',
  ),
  long(
    'delete.retention.ms',
    'deleteRetentionMs',
    'log.cleaner.delete.retention.ms',
    'How long compaction leaves a tombstone that it has come upon, so that readers can see it.',
  ),
  int(
    'max.message.bytes',
    'maxMessageBytes',
    'message.max.bytes',
    'The largest batch of records, as it is sent: compressed, with its header.',
  ),
  string(
    'message.timestamp.type',
    'messageTimestampType',
    'log.message.timestamp.type',
    'Whose time records have: CreateTime is the producer’s, LogAppendTime the server’s.',
  ),
  unlimited(
    'message.timestamp.before.max.ms',
    'messageTimestampBeforeMaxMs',
    'log.message.timestamp.before.max.ms',
    'How far in the past a record’s own time may be.',
  ),
  unlimited(
    'message.timestamp.after.max.ms',
    'messageTimestampAfterMaxMs',
    'log.message.timestamp.after.max.ms',
    'How far in the future a record’s own time may be.',
  ),
  string(
    'compression.type',
    'compressionType',
    'compression.type',
    'How the topic’s batches are compressed; producer leaves it to each producer.',
  ),
  unlimited(
    'flush.messages',
    'flushMessages',
    'log.flush.interval.messages',
    'So many records at most are not flushed to the disk, whatever their producers ask for.',
  ),
  unlimited(
    'flush.ms',
    'flushMs',
    'log.flush.interval.ms',
    'Records are flushed to the disk when they are so old, whatever their producers ask for.',
  ),
  long(
    'file.delete.delay.ms',
    'fileDeleteDelayMs',
    'log.segment.delete.delay.ms',
    'How long the files of a deleted segment stay, under another name, for those who read them.',
  ),
  boolean(
    'preallocate',
    'preallocate',
    'log.preallocate',
    'Whether the file of a new segment is made as large as it may become.',
  ),
  long(
    'varve.record.ttl.ms',
    'recordTtlMs',
    null,
    'Varve’s own: a record older than this is not delivered any more, and compaction drops it.',
  ),
  list(
    'varve.hold.for.groups',
    'holdForGroups',
    null,
    'Varve’s own: retention deletes nothing that these groups have not committed past.',
  ),
  long(
    'varve.hold.bytes.max',
    'holdBytesMax',
    null,
    'Varve’s own: no more than so many bytes are kept for those groups; -1 is any number.',
  ),
  long(
    'varve.hold.ms.max',
    'holdMsMax',
    null,
    'Varve’s own: nothing older than this is kept for those groups; -1 is any age.',
  ),
]

const whatever = (): null => null
const atLeast =
  (min: number) =>
  (value: unknown): string | null =>
    Number(value) >= min ? null : `it is at least ${min}`
const only =
  (allowed: unknown, why: string) =>
  (value: unknown): string | null =>
    value === allowed ? null : why
const replicas = (value: unknown): string | null => {
  const items = value as readonly string[]
  const isRight = items.every((item) => /^\d{1,10}:\d{1,10}$/.test(item))
  const isAll = items.length === 1 && items[0] === '*'
  return isRight || isAll ? null : 'it is *, or a list of partition:broker'
}

const kept = (
  [name, type, brokerName]: readonly [string, ConfigType, string | null],
  usual: string,
  problem: KeptConfig['problem'],
  documentation: string,
): KeptConfig => {
  const others = { setting: null, isUnlimited: false, isOld: false } as const
  return { name, type, brokerName, usual, problem, documentation, ...others }
}
const old = (config: KeptConfig): KeptConfig => ({ ...config, isOld: true })

const withoutEffect = 'Kept and told; there is one copy of every partition, so it does nothing.'
const notTiered = 'Kept and told; there is no remote storage, so it does nothing.'
const clientsCompress = 'Kept and told; clients compress, and the server leaves it as it is.'
const oneFormat = 'Kept where it is set; there is one format of records, so it does nothing.'

/** Those that programs and tools for Kafka set, and that have no effect on one machine. */
export const keptTopicConfigs: readonly KeptConfig[] = [
  kept(
    ['min.insync.replicas', 'int', 'min.insync.replicas'],
    '1',
    atLeast(1),
    `${withoutEffect} Producers that ask for all acknowledgements wait for the disk instead.`,
  ),
  kept(
    ['unclean.leader.election.enable', 'boolean', 'unclean.leader.election.enable'],
    'false',
    whatever,
    withoutEffect,
  ),
  kept(['leader.replication.throttled.replicas', 'list', null], '', replicas, withoutEffect),
  kept(['follower.replication.throttled.replicas', 'list', null], '', replicas, withoutEffect),
  kept(
    ['remote.storage.enable', 'boolean', null],
    'false',
    only(false, 'there is no remote storage'),
    'There is no remote storage: it is false.',
  ),
  kept(['local.retention.ms', 'long', 'log.local.retention.ms'], '-2', atLeast(-2), notTiered),
  kept(
    ['local.retention.bytes', 'long', 'log.local.retention.bytes'],
    '-2',
    atLeast(-2),
    notTiered,
  ),
  kept(['remote.log.copy.disable', 'boolean', null], 'false', whatever, notTiered),
  kept(['remote.log.delete.on.disable', 'boolean', null], 'false', whatever, notTiered),
  kept(
    ['compression.gzip.level', 'int', 'compression.gzip.level'],
    '-1',
    (value) => (value === -1 ? null : within(1, 9)(value)),
    clientsCompress,
  ),
  kept(
    ['compression.lz4.level', 'int', 'compression.lz4.level'],
    '9',
    within(1, 17),
    clientsCompress,
  ),
  kept(
    ['compression.zstd.level', 'int', 'compression.zstd.level'],
    '3',
    within(-131_072, 22),
    clientsCompress,
  ),
  old(kept(['message.format.version', 'string', null], '3.0-IV1', whatever, oneFormat)),
  old(kept(['message.downconversion.enable', 'boolean', null], 'true', whatever, oneFormat)),
  old(
    kept(
      ['message.timestamp.difference.max.ms', 'long', null],
      '9223372036854775807',
      atLeast(0),
      'Kept where it is set; message.timestamp.before.max.ms and after.max.ms do it.',
    ),
  ),
]

function within(min: number, max: number): (value: unknown) => string | null {
  return (value) => {
    const isInside = Number(value) >= min && Number(value) <= max
    return isInside ? null : `it is from ${min} to ${max}`
  }
}

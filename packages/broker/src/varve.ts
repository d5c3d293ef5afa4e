import type { LogDirectoryOptions, LogOptions } from '@varve/log'
import type { Logger } from './base/logger.ts'
import type { TopicDescription } from './base/topic-description.ts'
import type { TopicAlteration, TopicSettings } from './base/topic-settings.ts'
import type { CleaningOptions } from './cleaning/topic-cleaner.ts'
import type { ClusterOptions } from './cluster/cluster-options.ts'
import type { Consumer } from './consuming/consumer.ts'
import type { ConsumerOptions } from './consuming/consumer-options.ts'
import type { GroupAdministration } from './groups/group-administration.ts'
import type { GroupMemberOptions } from './groups/group-member-options.ts'
import type { ReplayOptions, ReplayReport } from './handling/dead-letter-replay.ts'
import type { NamedLedgerOptions } from './handling/effect-ledgers.ts'
import type { RawRecord } from './handling/handled-record.ts'
import type { DurableEffectLedger } from './handling/once-only.ts'
import type { RecordFailure } from './handling/record-runner.ts'
import type { Producer, Sendable } from './producing/producer.ts'
import type { ProducerOptions } from './producing/producer-options.ts'
import type {
  TransactionalProducer,
  TransactionalProducerOptions,
} from './transactions/transactional-producer.ts'

/** What concerns how logs work, whatever their topics' settings. */
export type VarveLogOptions = Pick<
  LogOptions,
  | 'acks'
  | 'flushOn'
  | 'lingerMs'
  | 'batchBytes'
  | 'queueBytesMax'
  | 'whenQueueFull'
  | 'onLostWrites'
  | 'producerIdExpirationMs'
>

export interface VarveOptions
  extends Pick<
    LogDirectoryOptions,
    'fs' | 'clock' | 'random' | 'openFilesMax' | 'readCacheBytes' | 'checkpointIntervalMs'
  > {
  /** Settings of all logs that topics do not have. @defaultValue {} */
  readonly log?: VarveLogOptions
  /** Settings of topics that do not have their own. @defaultValue Kafka's defaults */
  readonly topicDefaults?: TopicSettings
  /**
   * Retention and compaction of topics, which run in the background; false leaves them to whoever
   * calls `varve.cleaner.runOnce()`. @defaultValue {}
   */
  readonly cleaning?: CleaningOptions | false
  /**
   * After how long, in ms, a transactional id or the name of a producer is forgotten that nobody
   * uses and nothing is under way of: Kafka's transactional.id.expiration.ms. Used again it begins
   * anew, as one that was never there: a batch whose fate was unknown is then not recognised. A
   * cluster has a setting of its own. @defaultValue 604800000, 7 days
   */
  readonly transactionalIdExpirationMs?: number
  /**
   * How long offsets are kept of groups that nobody is in any more, in ms: Kafka's
   * offsets.retention.minutes. @defaultValue 604800000, 7 days
   */
  readonly offsetsRetentionMs?: number
  /** Told of what an operator should know; a `pino` logger fits. @defaultValue none */
  readonly logger?: Logger
  /**
   * How to speak with the brokers of a cluster: TLS, SASL, time-outs. Of the options above a
   * cluster uses `clock` and `random`; a data directory does not use these. @defaultValue {}
   */
  readonly cluster?: ClusterOptions
}

/** A consumer in a group: the group divides the topics' partitions among its members. */
export interface GroupConsumerOptions<Key, Value>
  extends Omit<ConsumerOptions<Key, Value>, 'assignment' | 'topics'>,
    GroupMemberOptions {}

/** Which dead letters are replayed, and where to. */
export interface ReplayTopicOptions extends Pick<ReplayOptions, 'select' | 'toOriginalPartition'> {
  /** Keeps how far it has come. @defaultValue 'varve-dead-letter-replay' */
  readonly group?: string
}

export interface CreateTopicOptions extends TopicSettings {
  /** @defaultValue 1 */
  readonly partitions?: number
  /**
   * How many brokers of a cluster keep each partition. A data directory keeps one copy, and refuses
   * another number. @defaultValue in a data directory 1, on a cluster its own default
   */
  readonly replicationFactor?: number
}

/**
 * Topics, with producers, consumers, groups and transactions, wherever they are: in a data
 * directory of this machine (DirectoryVarve) or on an Apache Kafka cluster (ClusterVarve). Made by
 * `openVarve`.
 *
 * A program that knows no more than this runs on both; what only one of them has is in its class.
 */
export interface Varve extends AsyncDisposable {
  /**
   * Makes a topic, all of it or nothing. Rejects with TopicExistsError, InvalidTopicError,
   * InvalidArgumentError.
   */
  createTopic(name: string, options?: CreateTopicOptions): Promise<TopicDescription>

  /**
   * Changes settings of a topic; null sets one back to its default. Rejects with
   * TopicNotFoundError, InvalidTopicError, InvalidArgumentError.
   */
  alterTopic(name: string, settings: TopicAlteration): Promise<TopicDescription>

  /**
   * Gives a topic more partitions; `partitions` is how many it has then. Keys may come to other
   * partitions from then on. Rejects with TopicNotFoundError, InvalidArgumentError.
   */
  addPartitions(name: string, partitions: number): Promise<TopicDescription>

  /** Deletes a topic with its records. Rejects with TopicNotFoundError, InvalidTopicError. */
  deleteTopic(name: string): Promise<void>

  /** A topic as it is now. Rejects with TopicNotFoundError. */
  describeTopic(name: string): Promise<TopicDescription>

  /** Names of the topics, without Kafka's internal ones unless asked for. */
  listTopics(options?: { readonly internal?: boolean }): Promise<readonly string[]>

  /**
   * A producer; with `transactionalId` one that sends in transactions. Throws InvalidArgumentError,
   * ClosedError.
   */
  producer<Key = Sendable, Value = Sendable>(
    options: TransactionalProducerOptions<Key, Value>,
  ): TransactionalProducer<Key, Value>
  producer<Key = Sendable, Value = Sendable>(
    options?: ProducerOptions<Key, Value>,
  ): Producer<Key, Value>

  /**
   * A consumer: of a group, of topics, or of partitions. Throws InvalidArgumentError, ClosedError.
   * A topic or partition that is not there makes its `start`, or its first `next`, reject with
   * TopicNotFoundError; a group waits for it.
   */
  consumer<Key = Buffer, Value = Buffer>(
    options: GroupConsumerOptions<Key, Value>,
  ): Consumer<Key, Value>
  consumer<Key = Buffer, Value = Buffer>(options: ConsumerOptions<Key, Value>): Consumer<Key, Value>

  /** The consumer groups: to list and describe them, to reset their offsets, to delete them. */
  groups(): Promise<GroupAdministration>

  /**
   * Remembers which effects have been done, for `onceOnly`: durably, in the compacted topic
   * `<name>.effects`, which is made where it is not there. Asked for again it is the same one.
   * Rejects with InvalidArgumentError, InvalidTopicError.
   *
   * @example
   * ```ts
   * const ledger = await varve.effectLedger('billing')
   * await consumer.run({ handler: onceOnly((record) => bill(record.value), { ledger }) })
   * ```
   */
  effectLedger(name: string, options?: NamedLedgerOptions): Promise<DurableEffectLedger>

  /**
   * What `consumer.run` does with records that could not be handled: they go to `topic`, by default
   * `<topic>.dead-letter` after their own, which is made where it is not there, with headers that
   * say where they were and why they were given up.
   *
   * @example
   * ```ts
   * await consumer.run({ handler, deadLetter: varve.deadLetters() })
   * ```
   */
  deadLetters(options?: {
    readonly topic?: string
  }): (record: { readonly raw: RawRecord }, failure: RecordFailure) => Promise<void>

  /**
   * Sends the dead letters of a topic that have not been replayed yet back to where they came from.
   * How far it has come is committed by `group`, so that none is sent again the next time; after a
   * crash in the midst of it the last one may be. Rejects with TopicNotFoundError.
   */
  replayDeadLetters(topic: string, options?: ReplayTopicOptions): Promise<ReplayReport>

  /**
   * Closes consumers and producers, then what they stand on. Rejects with the first error, after
   * closing everything. Idempotent.
   */
  close(): Promise<void>
}

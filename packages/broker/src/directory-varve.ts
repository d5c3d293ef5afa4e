import {
  type BackupOptions,
  type BackupReport,
  type BackupSource,
  LiveSource,
  type Repository,
} from '@varve/backup'
import type { Cleaner } from '@varve/cleaner'
import { type Clock, type FileSystem, type Log, nodeFileSystem, systemClock } from '@varve/log'
import { randomFraction } from '@varve/log/pacing'
import { InvalidArgumentError } from '@varve/record'
import { ClosableBackup } from './backup/closable-backup.ts'
import { finishRestore } from './backup/unfinished-restore.ts'
import { ClosedError } from './base/broker-errors.ts'
import { silentLogger } from './base/logger.ts'
import { isRetentionHeld } from './base/restore-hold.ts'
import { isInternalTopic, offsetsTopic } from './base/topic-names.ts'
import type { TopicAlteration } from './base/topic-settings.ts'
import { topicCleaner } from './cleaning/topic-cleaner.ts'
import type { AssignmentSource } from './consuming/assignment-source.ts'
import type { CommittedOffsets } from './consuming/committed-offsets.ts'
import { Consumer } from './consuming/consumer.ts'
import { type ConsumerOptions, checkConsumerOptions } from './consuming/consumer-options.ts'
import { FixedAssignment, TopicAssignment } from './consuming/topic-assignment.ts'
import { closeParts, type DirectoryParts, rememberParts } from './directory-parts.ts'
import type { GroupCoordinator } from './groups/group-coordinator.ts'
import { Groups } from './groups/groups.ts'
import { defaultOffsetsRetentionMs } from './groups/offset-expiration.ts'
import type { ReplayReport } from './handling/dead-letter-replay.ts'
import { DeadLetterTopics } from './handling/dead-letter-topics.ts'
import { EffectLedgers, type NamedLedgerOptions } from './handling/effect-ledgers.ts'
import type { RawRecord } from './handling/handled-record.ts'
import { HandlerCalls } from './handling/handler-calls.ts'
import type { LogEffectLedger } from './handling/log-effect-ledger.ts'
import type { RecordFailure } from './handling/record-runner.ts'
import { directorySource } from './metrics/directory-source.ts'
import { Metrics, type MetricsOptions } from './metrics/metrics.ts'
import { directorySending } from './producing/directory-sending.ts'
import { Producer, type Sendable } from './producing/producer.ts'
import { ProducerIds } from './producing/producer-ids.ts'
import { checkProducerName, type ProducerOptions } from './producing/producer-options.ts'
import type { ProducingContext } from './producing/sending-home.ts'
import type { Queue } from './queues/queue.ts'
import { type NamedQueueOptions, Queues } from './queues/queues.ts'
import { replayTopic } from './replay-topic.ts'
import type { StoredTopicDescription } from './topics/topic.ts'
import { Topics } from './topics/topics.ts'
import { directoryTransactions } from './transactions/directory-transactions.ts'
import { TransactionCoordinator } from './transactions/transaction-coordinator.ts'
import {
  TransactionalProducer,
  type TransactionalProducerOptions,
} from './transactions/transactional-producer.ts'
import type {
  CreateTopicOptions,
  GroupConsumerOptions,
  ReplayTopicOptions,
  Varve,
  VarveOptions,
} from './varve.ts'

const transactionTimeoutMs = 60_000

/**
 * Opens a data directory, made when it is not there: its topics, with producers, consumers, groups
 * and transactions. One process at a time has it open; closing it leaves everything durable.
 *
 * A restore that was interrupted as it took its place is completed first.
 *
 * Rejects with LogLockedError when somebody else has it open, CorruptCatalogueError,
 * InvalidArgumentError, StorageError, RestoreRefusedError. A partition that is damaged does not
 * keep the others from being opened: see `describeTopic`.
 *
 * @example
 * ```ts
 * await using varve = await openDataDirectory('./data')
 * await varve.createTopic('orders', { partitions: 3 })
 * const producer = varve.producer()
 * await producer.send('orders', { key: 'o-17', value: 'paid' })
 * ```
 */
export async function openDataDirectory(
  directory: string,
  options: VarveOptions = {},
): Promise<DirectoryVarve> {
  const { logger = silentLogger, transactionalIdExpirationMs, ...given } = options
  const { offsetsRetentionMs = defaultOffsetsRetentionMs, ...others } = given
  const { cleaning: _, cluster: __, ...rest } = others
  await finishRestore(options.fs ?? nodeFileSystem, directory)
  const topics = await Topics.open(directory, rest)
  try {
    const { clock = systemClock } = options
    const ids = new ProducerIds(() => topics.takeProducerIds())
    const { fs = nodeFileSystem, cleaning = {} } = options
    const isExpiryHeld = (): boolean => isRetentionHeld(fs, directory)
    const coordinator = await TransactionCoordinator.load({
      ...{ topics, clock, ids, logger, isExpiryHeld },
      ...(transactionalIdExpirationMs !== undefined && { transactionalIdExpirationMs }),
    })
    const groups = new Groups({ topics, clock, logger, isExpiryHeld, offsetsRetentionMs })
    const cleaner = topicCleaner(
      { topics, groups: () => groups.coordinator(), clock, fs, logger },
      cleaning === false ? {} : cleaning,
    )
    if (cleaning !== false) cleaner.start()
    const { random = randomFraction } = options
    const queues = new Queues({ topics, clock, logger, random })
    const ledgers = new EffectLedgers({ topics, clock, logger })
    const parts = { fs, topics, ids, coordinator, groups, queues, ledgers, cleaner }
    return new DirectoryVarve(options, parts)
  } catch (error) {
    await topics.close().catch(() => undefined)
    throw error
  }
}

/**
 * An open data directory. Made by `openVarve` or `openDataDirectory`.
 *
 * Beside what every Varve has: the logs themselves, queues, metrics, and the cleaner.
 */
export class DirectoryVarve implements Varve {
  readonly #parts: DirectoryParts
  readonly #topics: Topics
  readonly #clock: Clock
  readonly #fs: FileSystem
  readonly #random: () => number
  /** Retention and compaction: what is planned, to run them now, what failed. */
  readonly cleaner: Cleaner
  /** What is closed before the logs are. */
  readonly #users = new Set<AsyncDisposable>()
  readonly #calls = new HandlerCalls()
  #closing: Promise<void> | null = null

  /** @internal Data directories are opened by `openVarve` or `openDataDirectory`. */
  constructor(options: VarveOptions, parts: DirectoryParts) {
    this.#parts = parts
    rememberParts(this, parts)
    this.#topics = parts.topics
    this.#clock = options.clock ?? systemClock
    this.#fs = options.fs ?? nodeFileSystem
    this.cleaner = parts.cleaner
    this.#random = options.random ?? randomFraction
  }

  /**
   * Makes a topic, all of it or nothing. Rejects with TopicExistsError, InvalidTopicError,
   * InvalidArgumentError.
   */
  async createTopic(
    name: string,
    options: CreateTopicOptions = {},
  ): Promise<StoredTopicDescription> {
    const { partitions = 1, replicationFactor = 1, ...settings } = options
    if (replicationFactor !== 1) {
      const rule = 'a data directory keeps one copy; a cluster keeps several'
      throw new InvalidArgumentError('replicationFactor', replicationFactor, rule)
    }
    return (await this.#topics.create(name, partitions, settings)).describe()
  }

  /**
   * Changes settings of a topic; null sets one back to its default. They hold at once. Rejects with
   * TopicNotFoundError, InvalidTopicError, InvalidArgumentError.
   */
  async alterTopic(name: string, settings: TopicAlteration): Promise<StoredTopicDescription> {
    return (await this.#topics.alter(name, settings)).describe()
  }

  /**
   * Gives a topic more partitions; `partitions` is how many it has then. Keys may come to other
   * partitions from then on. Rejects with TopicNotFoundError, InvalidArgumentError.
   */
  async addPartitions(name: string, partitions: number): Promise<StoredTopicDescription> {
    return (await this.#topics.grow(name, partitions)).describe()
  }

  /** Deletes a topic with its records. Rejects with TopicNotFoundError, InvalidTopicError. */
  async deleteTopic(name: string): Promise<void> {
    await this.#topics.delete(name)
  }

  /** A topic as it is now. Rejects with TopicNotFoundError. */
  async describeTopic(name: string): Promise<StoredTopicDescription> {
    return this.#topics.topic(name).describe()
  }

  /** Names of the topics, without Kafka's internal ones unless asked for. */
  async listTopics(options: { readonly internal?: boolean } = {}): Promise<readonly string[]> {
    const names = this.#topics.all.map(({ name }) => name)
    return names.filter((name) => options.internal === true || !isInternalTopic(name))
  }

  /** The log of a partition: the engine's own face. Throws TopicNotFoundError. */
  log(topic: string, partition: number): Log {
    return this.#topics.topic(topic).partition(partition).log
  }

  /**
   * Opens the log of a partition again that has failed or could not be opened, recovering it, once
   * its storage has been mended. Queues go on as after a restart: what consumers have is delivered
   * again; ledgers of effects know what has arrived. Rejects with what keeps it from being opened.
   */
  async reopenPartition(topic: string, partition: number): Promise<void> {
    this.#topics.topic(topic).partition(partition)
    await this.#topics.directory.reopenLog(topic, partition)
    await this.#parts.ledgers.reopened(topic)
    await this.#parts.queues.reopened(topic, partition)
  }

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
  producer<Key, Value>(
    options: ProducerOptions<Key, Value> | TransactionalProducerOptions<Key, Value> = {},
  ): Producer<Key, Value> | TransactionalProducer<Key, Value> {
    this.#assertOpen()
    return 'transactionalId' in options ? this.#transactional(options) : this.#simple(options)
  }

  /**
   * A consumer: of a group, of topics, or of partitions. Throws InvalidArgumentError, ClosedError.
   * A topic or partition that is not there makes its `start`, or its first `next`, reject with
   * TopicNotFoundError; a group waits for it.
   */
  consumer<Key = Buffer, Value = Buffer>(
    options: GroupConsumerOptions<Key, Value>,
  ): Consumer<Key, Value>
  consumer<Key = Buffer, Value = Buffer>(options: ConsumerOptions<Key, Value>): Consumer<Key, Value>
  consumer<Key, Value>(
    options: ConsumerOptions<Key, Value> | GroupConsumerOptions<Key, Value>,
  ): Consumer<Key, Value> {
    this.#assertOpen()
    checkConsumerOptions(options as ConsumerOptions<never, never>)
    if ('group' in options) return this.#groupConsumer(options)
    const { topics, assignment } = options
    if ((topics === undefined) === (assignment === undefined)) {
      throw new InvalidArgumentError('topics', topics, 'needs topics, or an assignment instead')
    }
    const source =
      assignment === undefined
        ? new TopicAssignment(this.#topics, topics ?? [])
        : new FixedAssignment(this.#topics, assignment)
    return this.#consumer(options, source, null)
  }

  /**
   * The groups of this data directory: to list and describe them, to reset their offsets, to delete
   * them. Reads what is known of them when it is first asked.
   */
  groups(): Promise<GroupCoordinator> {
    return this.#parts.groups.coordinator()
  }

  /**
   * A queue: records that competing consumers take and finish one by one. Its topic, of the queue's
   * own name unless another is given, is made where it is not there. Asked for again it is the same
   * one. Rejects with TopicNotFoundError, InvalidTopicError, InvalidArgumentError, ClosedError.
   */
  async queue(name: string, options: NamedQueueOptions = {}): Promise<Queue> {
    this.#assertOpen()
    return this.#parts.queues.queue(name, options)
  }

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
  effectLedger(name: string, options: NamedLedgerOptions = {}): Promise<LogEffectLedger> {
    return this.#parts.ledgers.ledger(name, options)
  }

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
  deadLetters(
    options: { readonly topic?: string } = {},
  ): (record: { readonly raw: RawRecord }, failure: RecordFailure) => Promise<void> {
    const sink = new DeadLetterTopics(this.#topics, this.#clock).sink(options.topic ?? null)
    return ({ raw }, failure) => sink(raw, failure)
  }

  /**
   * Sends the dead letters of a topic that have not been replayed yet back to where they came from.
   * How far it has come is committed by `group`, so that none is sent again the next time; after a
   * crash in the midst of it the last one may be. Rejects with TopicNotFoundError.
   */
  async replayDeadLetters(topic: string, options: ReplayTopicOptions = {}): Promise<ReplayReport> {
    this.#topics.topic(topic)
    return replayTopic(this, topic, options)
  }

  /**
   * What happens here and how things stand, for Prometheus; counts until it or the data directory
   * is closed. Groups are shown once one has been asked for, queues while they are open.
   *
   * @example
   * ```ts
   * const metrics = varve.metrics()
   * console.log(await metrics.text())
   * ```
   */
  metrics(options: MetricsOptions = {}): Metrics {
    const source = directorySource(this.#parts)
    const metrics = new Metrics(source, options)
    this.#users.add({ [Symbol.asyncDispose]: async () => metrics.close() })
    return metrics
  }

  /**
   * Backs all of it up as it is at one moment, while everything goes on: no committed offset
   * without its records, no half transaction. Rejects as `runBackup` does, and with ClosedError
   * when the data directory is closed meanwhile.
   *
   * @example
   * ```ts
   * const repository = await Repository.open(new DirectoryTarget('/mnt/backup'))
   * const { backupId, gaps } = await varve.backup(repository)
   * ```
   */
  async backup(repository: Repository, options: BackupOptions = {}): Promise<BackupReport> {
    const backup = this.#using(new ClosableBackup())
    const given = { clock: this.#clock, ...options }
    const running = backup.run(repository, this.backupSource(), given)
    return await running.finally(() => this.#users.delete(backup))
  }

  /** What can be backed up of it, for `runBackup`: all of it, at the moment that is asked for. */
  backupSource(): BackupSource {
    return new LiveSource(this.#topics.directory, { fs: this.#fs, now: () => this.#clock.now() })
  }

  /**
   * Closes producers and consumers, then every log, durably. Rejects with the first error, after
   * closing everything; with HandlerRunningError in a handler of a group, which it waits for, or
   * when one takes longer than four minutes: then closing goes on. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#calls.whenClosed(this.#closing, this.#clock)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #simple<Key, Value>(options: ProducerOptions<Key, Value>): Producer<Key, Value> {
    const { name, idempotent = true } = options
    checkProducerName(options)
    const named =
      name === undefined
        ? this.#parts.ids
        : this.#parts.coordinator.identitiesOf(name, transactionTimeoutMs)
    const producer: Producer<Key, Value> = new Producer(
      this.#context,
      options,
      idempotent ? named : null,
      () => this.#users.delete(producer),
    )
    return this.#using(producer)
  }

  #transactional<Key, Value>(
    options: TransactionalProducerOptions<Key, Value>,
  ): TransactionalProducer<Key, Value> {
    const context = {
      ...this.#context,
      transactions: directoryTransactions({
        ...{ clock: this.#clock, topics: this.#topics, coordinator: this.#parts.coordinator },
        offsetsTopic: async () => {
          await this.groups()
          return this.#topics.topic(offsetsTopic)
        },
      }),
    }
    const producer: TransactionalProducer<Key, Value> = new TransactionalProducer(
      context,
      options,
      () => this.#users.delete(producer),
    )
    return this.#using(producer)
  }

  #groupConsumer<Key, Value>(options: GroupConsumerOptions<Key, Value>): Consumer<Key, Value> {
    const member = this.#parts.groups.member(options)
    return this.#consumer(options, member, member)
  }

  #consumer<Key, Value>(
    options: Omit<ConsumerOptions<Key, Value>, 'topics' | 'assignment'>,
    source: AssignmentSource,
    offsets: CommittedOffsets | null,
  ): Consumer<Key, Value> {
    const context = {
      clock: this.#clock,
      random: this.#random,
      calls: this.#calls,
      partition: ({ topic, partition }: { topic: string; partition: number }) => {
        return this.#topics.topic(topic).partition(partition)
      },
    }
    const consumer: Consumer<Key, Value> = new Consumer(context, options, source, offsets, () => {
      this.#users.delete(consumer)
    })
    return this.#using(consumer)
  }

  get #context(): ProducingContext {
    return directorySending(this.#topics, { clock: this.#clock, random: this.#random })
  }

  #using<User extends AsyncDisposable>(user: User): User {
    this.#users.add(user)
    return user
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw new ClosedError('the data directory')
  }

  async #close(): Promise<void> {
    const users = [...this.#users].map((user) => user[Symbol.asyncDispose]())
    const results = await Promise.allSettled(users)
    await closeParts(this.#parts)
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }
}

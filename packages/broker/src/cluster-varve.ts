import { type Clock, systemClock } from '@varve/log'
import { randomFraction } from '@varve/log/pacing'
import { InvalidArgumentError } from '@varve/record'
import { ClosedError, ProducerFencedError } from './base/broker-errors.ts'
import type { TopicDescription } from './base/topic-description.ts'
import type { TopicPartition } from './base/topic-partition.ts'
import type { TopicAlteration } from './base/topic-settings.ts'
import { Cluster } from './cluster/cluster.ts'
import { parseClusterAddress } from './cluster/cluster-address.ts'
import { ClusterCoordinator } from './cluster/cluster-coordinator.ts'
import { clusterDeadLetters } from './cluster/cluster-dead-letters.ts'
import { ClusterDelivery, type ClusterDeliveryContext } from './cluster/cluster-delivery.ts'
import { ClusterEffectLedger } from './cluster/cluster-effect-ledger.ts'
import { ClusterFetcher } from './cluster/cluster-fetcher.ts'
import { ClusterGroups } from './cluster/cluster-groups.ts'
import { readablePartition } from './cluster/cluster-log.ts'
import { resolveClusterOptions } from './cluster/cluster-options.ts'
import { lastClusterSourceOffset } from './cluster/cluster-source-offsets.ts'
import { ClusterTopics } from './cluster/cluster-topics.ts'
import { ClusterTransactions } from './cluster/cluster-transactions.ts'
import { loadKafkaClient } from './cluster/kafka-client.ts'
import { anonymousIdentities, NamedIdentities } from './cluster/producer-identities.ts'
import { TopicAdministration } from './cluster/topic-administration.ts'
import { rememberClusterParts } from './cluster-parts.ts'
import type { AssignmentSource } from './consuming/assignment-source.ts'
import type { CommittedOffsets } from './consuming/committed-offsets.ts'
import { Consumer } from './consuming/consumer.ts'
import { type ConsumerOptions, checkConsumerOptions } from './consuming/consumer-options.ts'
import { FixedAssignment, TopicAssignment } from './consuming/topic-assignment.ts'
import type { GroupAdministration } from './groups/group-administration.ts'
import { GroupMember } from './groups/group-member.ts'
import type { ReplayReport } from './handling/dead-letter-replay.ts'
import { effectsTopicSuffix, type NamedLedgerOptions } from './handling/effect-ledgers.ts'
import type { RawRecord } from './handling/handled-record.ts'
import { HandlerCalls } from './handling/handler-calls.ts'
import type { DurableEffectLedger } from './handling/once-only.ts'
import type { RecordFailure } from './handling/record-runner.ts'
import { Producer, type Sendable } from './producing/producer.ts'
import { checkProducerName, type ProducerOptions } from './producing/producer-options.ts'
import type { ProducingContext } from './producing/sending-home.ts'
import { replayTopic } from './replay-topic.ts'
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

interface Parts {
  readonly cluster: Cluster
  readonly topics: ClusterTopics
  readonly clock: Clock
  readonly random: () => number
}

const transactionTimeoutMs = 60_000
/** As long as Kafka's own producer tries (its delivery.timeout.ms). */
const deliveryTimeoutMs = 120_000
const maxPollIntervalMs = 300_000

/**
 * An Apache Kafka cluster. Made by `openVarve('kafka://host:9092')`.
 *
 * Everything that a Varve has is done by the brokers here; `docs/beyond-one-machine.md` says what
 * differs from a data directory.
 */
export class ClusterVarve implements Varve {
  readonly #cluster: Cluster
  readonly #topics: ClusterTopics
  readonly #administration: TopicAdministration
  readonly #clock: Clock
  readonly #random: () => number
  /** What is closed before the connections are. */
  readonly #users = new Set<AsyncDisposable>()
  readonly #calls = new HandlerCalls()
  readonly #ledgers = new Map<string, Promise<ClusterEffectLedger>>()
  #closing: Promise<void> | null = null

  private constructor({ cluster, topics, clock, random }: Parts) {
    this.#cluster = cluster
    this.#topics = topics
    this.#administration = new TopicAdministration(cluster, topics)
    rememberClusterParts(this, { cluster, topics, administration: this.#administration })
    this.#clock = clock
    this.#random = random
  }

  /** @internal Clusters are opened by `openVarve`. */
  static async open(address: string, options: VarveOptions): Promise<ClusterVarve> {
    const { isTls, brokers } = parseClusterAddress(address)
    const { clock = systemClock, random = randomFraction } = options
    const clusterOptions = resolveClusterOptions(options.cluster ?? {}, isTls)
    const client = await loadKafkaClient()
    const parts = { client, clock, options: clusterOptions, bootstrap: brokers }
    const cluster = await Cluster.connect(parts)
    return new ClusterVarve({ cluster, topics: new ClusterTopics(cluster), clock, random })
  }

  async createTopic(name: string, options: CreateTopicOptions = {}): Promise<TopicDescription> {
    const { partitions = 1, replicationFactor = -1, ...settings } = options
    return this.#administration.create(name, partitions, replicationFactor, settings)
  }

  async alterTopic(name: string, settings: TopicAlteration): Promise<TopicDescription> {
    return this.#administration.alter(name, settings)
  }

  async addPartitions(name: string, partitions: number): Promise<TopicDescription> {
    return this.#administration.addPartitions(name, partitions)
  }

  async deleteTopic(name: string): Promise<void> {
    await this.#administration.delete(name)
  }

  async describeTopic(name: string): Promise<TopicDescription> {
    return this.#administration.describe(name)
  }

  async listTopics(options: { readonly internal?: boolean } = {}): Promise<readonly string[]> {
    const topics = await this.#administration.list()
    return topics
      .filter(({ isInternal }) => options.internal === true || !isInternal)
      .map(({ name }) => name)
  }

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
    return this.#consumer(options, source, null, async () => undefined)
  }

  async groups(): Promise<GroupAdministration> {
    return new ClusterGroups(this.#cluster)
  }

  async effectLedger(name: string, options: NamedLedgerOptions = {}): Promise<DurableEffectLedger> {
    if (typeof name !== 'string' || name === '') {
      const rule = 'the name of a ledger is a non-empty string'
      throw new InvalidArgumentError('name', name, rule)
    }
    const known = this.#ledgers.get(name)
    if (known !== undefined) return known
    const loading = ClusterEffectLedger.load(this.#making, `${name}${effectsTopicSuffix}`, options)
    this.#ledgers.set(name, loading)
    // Asked again, it is tried again.
    loading.then(
      (ledger) => this.#using(ledger),
      () => this.#ledgers.delete(name),
    )
    return loading
  }

  deadLetters(
    options: { readonly topic?: string } = {},
  ): (record: { readonly raw: RawRecord }, failure: RecordFailure) => Promise<void> {
    const sink = clusterDeadLetters(this.#making, options.topic ?? null)
    return ({ raw }, failure) => sink(raw, failure)
  }

  async replayDeadLetters(topic: string, options: ReplayTopicOptions = {}): Promise<ReplayReport> {
    await this.#topics.topic(topic)
    return replayTopic(this, topic, options)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#calls.whenClosed(this.#closing, this.#clock)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #making() {
    return {
      ...{ cluster: this.#cluster, topics: this.#topics, administration: this.#administration },
      producer: () => this.producer(),
    }
  }

  #simple<Key, Value>(options: ProducerOptions<Key, Value>): Producer<Key, Value> {
    const { name, acks = 'flushed', idempotent = true } = options
    checkProducerName(options)
    if (name !== undefined && acks !== 'flushed') {
      const rule = "a cluster numbers batches only where acks is 'flushed'; a name needs that"
      throw new InvalidArgumentError('acks', acks, rule)
    }
    const named =
      name === undefined ? null : new NamedIdentities(this.#cluster, name, transactionTimeoutMs)
    const identities = named ?? anonymousIdentities(this.#cluster)
    // What the leader alone has can be lost with it: then numbers would be missing.
    const isNumbered = idempotent && acks === 'flushed'
    const context = this.#producing({
      transactionalId: null,
      renew: (identity) => identities.renew(identity),
      fenced: (why) => named?.fenced(why) ?? new ProducerFencedError(name ?? '', why),
    })
    const producer: Producer<Key, Value> = new Producer(
      context,
      { deliveryTimeoutMs, ...options },
      isNumbered ? { take: identities.take.bind(identities), giveBack: () => undefined } : null,
      () => this.#users.delete(producer),
    )
    return this.#using(producer)
  }

  #transactional<Key, Value>(
    options: TransactionalProducerOptions<Key, Value>,
  ): TransactionalProducer<Key, Value> {
    const { transactionalId } = options
    const timeoutMs = options.transactionTimeoutMs ?? transactionTimeoutMs
    const identities = new NamedIdentities(this.#cluster, transactionalId, timeoutMs)
    const sending = this.#producing({
      transactionalId,
      renew: null,
      fenced: (why) => identities.fenced(why),
    })
    const context = {
      ...sending,
      // A transaction's records are with all replicas before it is committed.
      delivery: (...[place, identity, delivery]: Parameters<typeof sending.delivery>) => {
        return sending.delivery(place, identity, { ...delivery, acks: 'flushed' })
      },
      transactions: new ClusterTransactions(this.#cluster, identities),
    }
    const producer: TransactionalProducer<Key, Value> = new TransactionalProducer(
      context,
      { deliveryTimeoutMs, ...options },
      () => this.#users.delete(producer),
    )
    return this.#using(producer)
  }

  #producing(
    delivering: Pick<ClusterDeliveryContext, 'transactionalId' | 'renew' | 'fenced'>,
  ): ProducingContext {
    const context = { cluster: this.#cluster, topics: this.#topics, ...delivering }
    return {
      clock: this.#clock,
      random: this.#random,
      topic: (name) => this.#topics.topic(name),
      delivery: ({ topic, partition }, identity, options) => {
        // It is known, since its topic was looked up for this batch.
        const found = this.#topics.known(topic).partition(partition)
        return new ClusterDelivery(context, found, identity, options)
      },
      lastSourceOffset: (place, { producerId }) => {
        return lastClusterSourceOffset(this.#cluster, this.#topics, place, producerId)
      },
    }
  }

  #groupConsumer<Key, Value>(options: GroupConsumerOptions<Key, Value>): Consumer<Key, Value> {
    const { topics } = options
    if (!Array.isArray(topics) || topics.length === 0) {
      throw new InvalidArgumentError('topics', topics, 'must be an array with the name of a topic')
    }
    const rebalanceTimeoutMs = options.maxPollIntervalMs ?? maxPollIntervalMs
    let coordinator: ClusterCoordinator | null = null
    const member = new GroupMember(async () => {
      const connecting = { topics, rebalanceTimeoutMs }
      coordinator = await ClusterCoordinator.connect(this.#cluster, this.#topics, connecting)
      return coordinator
    }, options)
    return this.#consumer(options, member, member, async () => coordinator?.close())
  }

  #consumer<Key, Value>(
    options: Omit<ConsumerOptions<Key, Value>, 'topics' | 'assignment'>,
    source: AssignmentSource,
    offsets: CommittedOffsets | null,
    onClosed: () => Promise<void>,
  ): Consumer<Key, Value> {
    const fetcher = new ClusterFetcher(this.#cluster, options.isolation ?? 'committed')
    const reading = { cluster: this.#cluster, topics: this.#topics, fetcher }
    const context = {
      clock: this.#clock,
      random: this.#random,
      calls: this.#calls,
      partition: async (place: TopicPartition) => {
        return readablePartition(reading, await this.#topics.partition(place))
      },
    }
    const consumer: Consumer<Key, Value> = new Consumer(context, options, source, offsets, () => {
      this.#users.delete(consumer)
      void fetcher.close()
      void onClosed()
    })
    return this.#using(consumer)
  }

  #using<User extends AsyncDisposable>(user: User): User {
    this.#users.add(user)
    return user
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw new ClosedError('the cluster')
  }

  /** Consumers first: what they hand to their programs may still be sent on. */
  async #close(): Promise<void> {
    const users = [...this.#users].reverse().map((user) => user[Symbol.asyncDispose]())
    const results = await Promise.allSettled(users)
    this.#topics.close()
    await this.#cluster.close()
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }
}

import { InvalidArgumentError, type Timestamp, VarveError } from '@varve/record'
import { InvalidTopicError, TopicExistsError, TopicNotFoundError } from '../base/broker-errors.ts'
import type { PartitionDescription, TopicDescription } from '../base/topic-description.ts'
import { checkTopicName, isInternalTopic } from '../base/topic-names.ts'
import { partitionName } from '../base/topic-partition.ts'
import type { TopicAlteration, TopicSettings } from '../base/topic-settings.ts'
import type { ListedTopic } from '../topics/topic-listing.ts'
import { type Cluster, isPassingFailure } from './cluster.ts'
import { ClusterRefusedError } from './cluster-errors.ts'
import {
  readTopicSettings,
  topicConfigChanges,
  topicConfigs,
  topicResource,
} from './cluster-settings.ts'
import type { ClusterTopics } from './cluster-topics.ts'
import { kafkaCodes } from './kafka-codes.ts'
import { BrokerAwayError } from './kafka-failures.ts'
import { earliest, latest, listOffset } from './partition-offsets.ts'

const setOperation = 0
const deleteOperation = 1

/** Makes, changes, describes and deletes the topics of a cluster. */
export class TopicAdministration {
  readonly #cluster: Cluster
  readonly #topics: ClusterTopics

  constructor(cluster: Cluster, topics: ClusterTopics) {
    this.#cluster = cluster
    this.#topics = topics
  }

  async create(
    name: string,
    partitions: number,
    replicationFactor: number,
    settings: TopicSettings,
  ): Promise<TopicDescription> {
    checkTopicName(name)
    if (isInternalTopic(name)) throw new InvalidTopicError(name, 'programs do not make this topic')
    checkCount('partitions', partitions)
    if (replicationFactor !== -1) checkCount('replicationFactor', replicationFactor)
    const configs = topicConfigs(settings)
    const topic = { name, numPartitions: partitions, replicationFactor, assignments: [], configs }
    await this.#ask(`making topic '${name}'`, name, (connection, timeoutMs) => {
      return this.#cluster.client.createTopicsV7.api.async(connection, [topic], timeoutMs, false)
    })
    await this.#until(name, (count) => count >= partitions)
    return this.describe(name)
  }

  async alter(name: string, alteration: TopicAlteration): Promise<TopicDescription> {
    return this.alterConfigs(name, topicConfigChanges(alteration))
  }

  /** Likewise, by Kafka's names and texts, whichever the brokers know; null sets one back. */
  async alterConfigs(
    name: string,
    changes: ReadonlyArray<{ readonly name: string; readonly value: string | null }>,
  ): Promise<TopicDescription> {
    this.#assertChangeable(name)
    const configs = changes.map(({ name: config, value }) => {
      return value === null
        ? { name: config, configOperation: deleteOperation, value: null }
        : { name: config, configOperation: setOperation, value }
    })
    await this.#mustBeThere(name)
    const resource = { resourceType: topicResource, resourceName: name, configs }
    await this.#ask(`changing topic '${name}'`, name, (connection) => {
      const { api } = this.#cluster.client.incrementalAlterConfigsV1
      return api.async(connection, [resource as never], false)
    })
    await this.#topics.reread(name)
    return this.describe(name)
  }

  async addPartitions(name: string, partitions: number): Promise<TopicDescription> {
    this.#assertChangeable(name)
    checkCount('partitions', partitions)
    const topic = { name, count: partitions, assignments: null }
    await this.#ask(`adding partitions to '${name}'`, name, (connection, timeoutMs) => {
      return this.#cluster.client.createPartitionsV3.api.async(
        connection,
        [topic],
        timeoutMs,
        false,
      )
    })
    await this.#until(name, (count) => count >= partitions)
    await this.#topics.refresh()
    return this.describe(name)
  }

  async delete(name: string): Promise<void> {
    this.#assertChangeable(name)
    await this.#ask(`deleting topic '${name}'`, name, (connection, timeoutMs) => {
      return this.#cluster.client.deleteTopicsV6.api.async(connection, [{ name }], timeoutMs)
    })
    await this.#until(name, (count) => count === 0)
    await this.#topics.refresh()
  }

  async describe(name: string): Promise<TopicDescription> {
    const outline = await this.outline(name)
    const settings = await this.#cluster.retrying(`reading the settings of '${name}'`, () => {
      return readTopicSettings(this.#cluster, name)
    })
    return { ...outline, settings }
  }

  /** What may be seen of a topic without the right to see its settings. */
  async outline(name: string): Promise<Omit<TopicDescription, 'settings'>> {
    return this.#cluster.retrying(`describing topic '${name}'`, async () => {
      const { topics } = await this.#cluster.metadata([name])
      const found = topics.find((each) => each.name === name)
      if (found === undefined) throw new TopicNotFoundError(name)
      if (found.errorCode === kafkaCodes.topicAuthorizationFailed) {
        throw new ClusterRefusedError(
          found.errorCode,
          'TOPIC_AUTHORIZATION_FAILED',
          `topic '${name}'`,
        )
      }
      if (found.errorCode !== 0) throw new TopicNotFoundError(name)
      const partitions = await Promise.all(
        found.partitions.map(({ partitionIndex, leaderId }) => {
          return this.#describePartition(name, partitionIndex, leaderId)
        }),
      )
      partitions.sort((one, other) => one.partition - other.partition)
      const topicId = topicIdText(found.topicId)
      return { name, topicId, isInternal: found.isInternal, partitions }
    })
  }

  /** All of them, by name. */
  async list(): Promise<ReadonlyArray<Omit<ListedTopic, 'settings'>>> {
    const { topics } = await this.#cluster.retrying('listing topics', () => {
      return this.#cluster.metadata(null)
    })
    const found = topics.map(({ name, topicId, isInternal, partitions }) => {
      const known = { name: name ?? '', topicId: topicIdText(topicId), isInternal }
      return { ...known, partitions: partitions.length }
    })
    return found.sort((one, other) => (one.name < other.name ? -1 : 1))
  }

  async #describePartition(
    topic: string,
    partition: number,
    leader: number,
  ): Promise<PartitionDescription> {
    const at = (timestamp: Timestamp, isolation: 'committed' | 'uncommitted') => {
      return listOffset(this.#cluster, leader, { topic, partition }, timestamp, isolation)
    }
    try {
      // Who leads a partition that has just been made knows of it a moment later.
      const timeoutMs = this.#cluster.options.connectTimeoutMs
      const [first, end, stable] = await this.#cluster.retrying(
        `describing ${partitionName({ topic, partition })}`,
        () => {
          return Promise.all([
            at(earliest, 'uncommitted'),
            at(latest, 'uncommitted'),
            at(latest, 'committed'),
          ])
        },
        { timeoutMs },
      )
      const [logStartOffset, highWatermark] = [first.offset, end.offset]
      return {
        ...{ partition, logStartOffset, highWatermark, lastStableOffset: stable.offset },
        error: null,
      }
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      const none = { logStartOffset: 0, highWatermark: 0, lastStableOffset: 0 }
      return { partition, ...none, error }
    }
  }

  /** Asks the cluster for a change, and says in our words what it refuses. */
  async #ask(
    what: string,
    topic: string,
    ask: (
      connection: Parameters<Parameters<Cluster['onAny']>[0]>[0],
      timeoutMs: number,
    ) => Promise<unknown>,
  ): Promise<void> {
    const { requestTimeoutMs } = this.#cluster.options
    const isPassing = (error: unknown): boolean => {
      const isMissing =
        error instanceof ClusterRefusedError &&
        error.kafkaErrorCode === kafkaCodes.unknownTopicOrPartition
      return !isMissing && isPassingFailure(error)
    }
    try {
      await this.#cluster.retrying(
        what,
        () => this.#cluster.onAny((connection) => ask(connection, requestTimeoutMs)),
        { isPassing },
      )
    } catch (error) {
      throw error instanceof ClusterRefusedError ? topicErrorOf(error, topic) : error
    }
  }

  /** What a change does is not seen by all brokers at once. */
  async #until(name: string, isSo: (partitions: number) => boolean): Promise<void> {
    const notYet = new BrokerAwayError('not all brokers know of it yet')
    await this.#cluster.retrying(`waiting for topic '${name}'`, async () => {
      const { topics } = await this.#cluster.metadata([name])
      const found = topics.find((each) => each.name === name && each.errorCode === 0)
      const ready = (found?.partitions ?? []).filter(({ leaderId }) => leaderId >= 0)
      if (!isSo(ready.length)) throw notYet
    })
  }

  async #mustBeThere(name: string): Promise<void> {
    await this.#topics.topic(name)
  }

  #assertChangeable(name: string): void {
    checkTopicName(name)
    if (isInternalTopic(name)) {
      throw new InvalidTopicError(name, 'programs do not change this topic')
    }
  }
}

/** Kafka's notation of a UUID, of the one with dashes. */
function topicIdText(uuid: string): string {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64url')
}

function topicErrorOf(error: ClusterRefusedError, topic: string): Error {
  const { message } = error
  switch (error.kafkaErrorCode) {
    case kafkaCodes.topicAlreadyExists:
      return new TopicExistsError(topic)
    case kafkaCodes.unknownTopicOrPartition:
      return new TopicNotFoundError(topic)
    case kafkaCodes.invalidTopic:
      return new InvalidTopicError(topic, message)
    case kafkaCodes.invalidPartitions:
      return new InvalidArgumentError('partitions', topic, message)
    case kafkaCodes.invalidReplicationFactor:
      return new InvalidArgumentError('replicationFactor', topic, message)
    case kafkaCodes.invalidConfig:
      return new InvalidArgumentError('settings', topic, message)
    default:
      return error
  }
}

function checkCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value > 0 && value <= 0x7fff_ffff) return
  throw new InvalidArgumentError(name, value, 'must be a positive integer')
}

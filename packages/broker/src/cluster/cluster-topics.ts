import type { Timer } from '@varve/log'
import { TopicNotFoundError } from '../base/broker-errors.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import { defaultTopicSettings, type ResolvedTopicSettings } from '../base/topic-settings.ts'
import type { WatchedTopics } from '../consuming/topic-assignment.ts'
import type { TargetPartition, TargetTopic } from '../producing/sending-home.ts'
import type { Cluster } from './cluster.ts'
import { ClusterRefusedError } from './cluster-errors.ts'
import { readTopicSettings } from './cluster-settings.ts'
import type { MetadataTopic } from './kafka-client.ts'
import { kafkaCodes } from './kafka-codes.ts'

type TopicEvent = 'created' | 'grown' | 'deleted'

/** One partition of a cluster's topic, and who leads it. */
export class ClusterPartition implements TargetPartition, TopicPartition {
  readonly topic: string
  readonly partition: number
  readonly #owner: ClusterTopic
  /** The broker that leads it; -1 while none does. */
  leader = -1

  constructor(owner: ClusterTopic, partition: number) {
    this.topic = owner.name
    this.partition = partition
    this.#owner = owner
  }

  get topicId(): string {
    return this.#owner.topicId
  }

  get settings(): ResolvedTopicSettings {
    return this.#owner.settings
  }

  get isUsable(): boolean {
    return this.leader >= 0
  }

  get isDeleted(): boolean {
    return this.#owner.isDeleted
  }
}

/** A topic of a cluster, as it was when it was last looked at. */
export class ClusterTopic implements TargetTopic {
  readonly name: string
  /** A UUID, as the client writes it. */
  readonly topicId: string
  settings: ResolvedTopicSettings = defaultTopicSettings
  isDeleted = false
  #partitions: readonly ClusterPartition[] = []

  constructor(name: string, topicId: string) {
    this.name = name
    this.topicId = topicId
  }

  get partitions(): readonly ClusterPartition[] {
    return this.#partitions
  }

  partition(partition: number): ClusterPartition {
    const found = this.#partitions[partition]
    if (this.isDeleted) throw new TopicNotFoundError(this.name)
    if (found !== undefined) return found
    throw new TopicNotFoundError(this.name, partition, this.#partitions.length)
  }

  /** Takes note of what a broker says; returns whether there are more partitions than before. */
  update(found: MetadataTopic): boolean {
    const before = this.#partitions.length
    const count = Math.max(before, found.partitions.length)
    const added = Array.from({ length: count - before }, (_, index) => {
      return new ClusterPartition(this, before + index)
    })
    this.#partitions = [...this.#partitions, ...added]
    for (const { partitionIndex, leaderId } of found.partitions) {
      const partition = this.#partitions[partitionIndex]
      if (partition !== undefined) partition.leader = leaderId
    }
    return count > before && before > 0
  }
}

/** The topics of a cluster that this program uses; looked at again now and then. */
export class ClusterTopics implements WatchedTopics {
  readonly #cluster: Cluster
  readonly #known = new Map<string, ClusterTopic>()
  readonly #lookups = new Map<string, Promise<ClusterTopic>>()
  readonly #watchers = new Set<(topic: ClusterTopic, event: TopicEvent) => void>()
  #refreshing: Promise<void> | null = null
  #timer: Timer | null = null

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.#schedule()
  }

  /** At once where it is known. Rejects with TopicNotFoundError. */
  topic(name: string): ClusterTopic | Promise<ClusterTopic> {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const under = this.#lookups.get(name)
    if (under !== undefined) return under
    const lookup = this.#lookUp(name).finally(() => this.#lookups.delete(name))
    this.#lookups.set(name, lookup)
    return lookup
  }

  /** One that has been looked up. Throws TopicNotFoundError. */
  known(name: string): ClusterTopic {
    const known = this.#known.get(name)
    if (known === undefined) throw new TopicNotFoundError(name)
    return known
  }

  async partition({ topic, partition }: TopicPartition): Promise<ClusterPartition> {
    return (await this.topic(topic)).partition(partition)
  }

  watch(watcher: (topic: ClusterTopic, event: TopicEvent) => void): () => void {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  /** Looks at the topics that are known, once. Rejects as requests do. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = null
    })
    return this.#refreshing
  }

  /** What was known of a topic may be wrong by now: its settings. */
  async reread(name: string): Promise<void> {
    const known = this.#known.get(name)
    if (known !== undefined) known.settings = await this.#settingsOf(name)
  }

  close(): void {
    this.#timer?.cancel()
    this.#watchers.clear()
  }

  async #lookUp(name: string): Promise<ClusterTopic> {
    if (typeof name !== 'string' || name === '') throw new TopicNotFoundError(String(name))
    const found = await this.#cluster.retrying(`looking for topic '${name}'`, async () => {
      const { topics } = await this.#cluster.metadata([name])
      const topic = topics.find((each) => each.name === name)
      const code = topic?.errorCode ?? kafkaCodes.unknownTopicOrPartition
      if (topic === undefined || isMissing(code)) throw new TopicNotFoundError(name)
      if (code !== 0) throw refusalOf(code, name)
      return topic
    })
    const topic = new ClusterTopic(name, found.topicId)
    topic.update(found)
    topic.settings = await this.#settingsOf(name)
    this.#known.set(name, topic)
    return topic
  }

  async #settingsOf(name: string): Promise<ResolvedTopicSettings> {
    try {
      return await readTopicSettings(this.#cluster, name)
    } catch (error) {
      // Who may write to a topic need not be allowed to see its settings.
      if (error instanceof ClusterRefusedError) return defaultTopicSettings
      throw error
    }
  }

  async #refresh(): Promise<void> {
    const names = [...this.#known.keys()]
    if (names.length === 0) return
    const { topics } = await this.#cluster.metadata(names)
    for (const found of topics) {
      const topic = this.#known.get(found.name ?? '')
      if (topic === undefined) continue
      const isGone = isMissing(found.errorCode)
      const isAnother = found.errorCode === 0 && found.topicId !== topic.topicId
      if (isGone || isAnother) {
        this.#known.delete(topic.name)
        topic.isDeleted = true
        this.#tell(topic, 'deleted')
      } else if (topic.update(found)) this.#tell(topic, 'grown')
    }
  }

  #tell(topic: ClusterTopic, event: TopicEvent): void {
    for (const watcher of [...this.#watchers]) watcher(topic, event)
  }

  #schedule(): void {
    const { clock, options } = this.#cluster
    this.#timer = clock.setTimer(options.metadataRefreshMs, () => {
      // While brokers are away, what needs them says so.
      const refreshed = this.refresh().catch(() => undefined)
      void refreshed.then(() => {
        if (!this.#cluster.isClosed) this.#schedule()
      })
    })
  }
}

function refusalOf(code: number, topic: string): ClusterRefusedError {
  const isForbidden = code === kafkaCodes.topicAuthorizationFailed
  return new ClusterRefusedError(
    code,
    isForbidden ? 'TOPIC_AUTHORIZATION_FAILED' : `error ${code}`,
    `topic '${topic}'`,
  )
}

function isMissing(code: number): boolean {
  return code === kafkaCodes.unknownTopicOrPartition || code === kafkaCodes.invalidTopic
}

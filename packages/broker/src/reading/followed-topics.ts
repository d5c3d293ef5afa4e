import {
  type Clock,
  type FileSystem,
  LogNotFoundError,
  type ReadOnlyLogOptions,
  type Timer,
} from '@varve/log'
import { TopicNotFoundError } from '../base/broker-errors.ts'
import {
  defaultsOf,
  type ResolvedTopicSettings,
  resolveTopicSettings,
  type TopicSettings,
} from '../base/topic-settings.ts'
import type { WatchedTopic, WatchedTopics } from '../consuming/topic-assignment.ts'
import { catalogueFileName, decodeCatalogue, readCatalogueBytes } from '../topics/catalogue-file.ts'
import { type ListedTopic, topicsIn } from '../topics/topic-listing.ts'
import { FollowedPartition } from './followed-partition.ts'

export interface FollowedTopicsOptions {
  readonly fs: FileSystem
  readonly clock: Clock
  /** Settings of topics that do not have their own. */
  readonly topicDefaults: TopicSettings
  readonly log: ReadOnlyLogOptions
  /** Told when looking begins to fail. */
  readonly onTrouble: (error: unknown) => void
}

type TopicEvent = 'created' | 'grown' | 'deleted'
type Watcher = (topic: FollowedTopic, event: TopicEvent) => void

/** Topics are made and deleted by people. */
const lookIntervalMs = 100

/** A topic of a data directory that somebody else has open. */
export class FollowedTopic implements WatchedTopic {
  readonly name: string
  /** Null while the catalogue does not know the topic. */
  topicId: string | null
  readonly isInternal: boolean
  settings: ResolvedTopicSettings
  isDeleted = false
  #partitions: readonly FollowedPartition[] = []

  constructor(listed: ListedTopic, settings: ResolvedTopicSettings) {
    this.name = listed.name
    this.topicId = listed.topicId
    this.isInternal = listed.isInternal
    this.settings = settings
  }

  get partitions(): readonly FollowedPartition[] {
    return this.#partitions
  }

  /** Throws TopicNotFoundError where there is no such partition, or no longer a topic. */
  partition(partition: number): FollowedPartition {
    if (this.isDeleted) throw new TopicNotFoundError(this.name)
    const found = this.#partitions[partition]
    if (found !== undefined) return found
    throw new TopicNotFoundError(this.name, partition, this.#partitions.length)
  }

  add(partitions: readonly FollowedPartition[]): void {
    this.#partitions = [...this.#partitions, ...partitions]
  }
}

/**
 * The topics of a data directory that somebody else may be changing: what its catalogue and its
 * directories say, looked at again and again. A topic that is being made is there when all of it
 * has been made.
 */
export class FollowedTopics implements WatchedTopics {
  readonly path: string
  readonly #options: FollowedTopicsOptions
  readonly #topics = new Map<string, FollowedTopic>()
  readonly #watchers = new Set<Watcher>()
  /** The catalogue at the last look. */
  #seen: Buffer | null = null
  #timer: Timer | null = null
  #isTroubled = false
  #isClosed = false

  /**
   * @throws {LogNotFoundError} when there is no such directory
   * @throws {CorruptCatalogueError}
   */
  constructor(path: string, options: FollowedTopicsOptions) {
    this.path = path
    this.#options = options
    if (options.fs.stat(path)?.isDirectory !== true) {
      throw new LogNotFoundError(`there is no data directory ${path}`)
    }
    this.look()
    this.#schedule()
  }

  /** As of now, by name. Throws CorruptCatalogueError. */
  all(): readonly FollowedTopic[] {
    this.look()
    return [...this.#topics.values()]
  }

  /** As of now. Throws TopicNotFoundError, CorruptCatalogueError. */
  topic(name: string): FollowedTopic {
    this.look()
    const topic = this.#topics.get(name)
    if (topic === undefined) throw new TopicNotFoundError(name)
    return topic
  }

  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  /** Sees what has changed, and tells. Throws CorruptCatalogueError. */
  look(): void {
    if (this.#isClosed) return
    const { fs } = this.#options
    const bytes = readCatalogueBytes(fs, this.path)
    if (bytes !== null && this.#seen?.equals(bytes) === true) return
    const path = `${this.path}/${catalogueFileName}`
    const catalogue = bytes === null ? null : decodeCatalogue(bytes, path)
    const listed = topicsIn(fs, this.path, catalogue, 'made')
    this.#seen = bytes
    this.#take(listed)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    const partitions = [...this.#topics.values()].flatMap((topic) => topic.partitions)
    await Promise.all(partitions.map((partition) => partition.close()))
  }

  #take(listed: readonly ListedTopic[]): void {
    const found = new Map(listed.map((topic) => [topic.name, topic]))
    for (const topic of [...this.#topics.values()]) {
      const now = found.get(topic.name)
      if (now !== undefined && isSameId(now.topicId, topic.topicId)) continue
      this.#topics.delete(topic.name)
      topic.isDeleted = true
      this.#tell(topic, 'deleted')
      for (const partition of topic.partitions) void partition.close()
    }
    for (const topic of listed) this.#update(topic)
  }

  #update(listed: ListedTopic): void {
    const { name, settings: own, partitions } = listed
    const settings = resolveTopicSettings(own, defaultsOf(name, this.#options.topicDefaults))
    const known = this.#topics.get(name)
    const topic = known ?? new FollowedTopic(listed, settings)
    const before = topic.partitions.length
    topic.settings = settings
    topic.topicId ??= listed.topicId
    const added = Array.from({ length: Math.max(0, partitions - before) }, (_, index) => {
      return new FollowedPartition(topic, before + index, {
        ...{ path: this.path, fs: this.#options.fs, log: this.#options.log },
        look: () => this.look(),
      })
    })
    topic.add(added)
    this.#topics.set(name, topic)
    if (known === undefined) this.#tell(topic, 'created')
    else if (added.length > 0) this.#tell(topic, 'grown')
  }

  #tell(topic: FollowedTopic, event: TopicEvent): void {
    for (const watcher of [...this.#watchers]) watcher(topic, event)
  }

  #schedule(): void {
    this.#timer = this.#options.clock.setTimer(lookIntervalMs, () => {
      try {
        this.look()
        this.#isTroubled = false
      } catch (error) {
        if (!this.#isTroubled) this.#options.onTrouble(error)
        this.#isTroubled = true
      }
      if (!this.#isClosed) this.#schedule()
    })
  }
}

/** Without a catalogue, a topic's id is not known. */
function isSameId(one: string | null, other: string | null): boolean {
  return one === null || other === null || one === other
}

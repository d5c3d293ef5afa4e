import { strict as assert } from 'node:assert'
import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { type FileSystem, LogDirectory, type LogDirectoryOptions, nodeFileSystem } from '@varve/log'
import { newTopicId, parsePartitionDirectoryName } from '@varve/log/files'
import { ClosedError, InvalidTopicError, TopicNotFoundError } from '../base/broker-errors.ts'
import { checkTopicName, isInternalTopic } from '../base/topic-names.ts'
import { partitionName } from '../base/topic-partition.ts'
import {
  alteredSettings,
  checkPartitions,
  checkTopicSettings,
  logOptionsOf,
  type ResolvedTopicSettings,
  type TopicAlteration,
  type TopicSettings,
} from '../base/topic-settings.ts'
import { topicIdIn, unusedProducerId } from './adopted-logs.ts'
import type { Catalogue, CataloguedTopic } from './catalogue-file.ts'
import { readCatalogue, writeCatalogue } from './catalogue-file.ts'
import { renameDeleted } from './interrupted-deletion.ts'
import { Topic } from './topic.ts'
import { type GivenTopicSettings, TopicSettingsTable } from './topic-settings-table.ts'
import { TopicTable } from './topic-table.ts'

export interface TopicsOptions extends Omit<LogDirectoryOptions, 'logOptions' | 'onLocked'> {
  /** Settings of topics that do not have their own. */
  readonly topicDefaults?: TopicSettings
}

export type TopicEvent = 'created' | 'grown' | 'deleted'

/** Settings to change, or what makes them out of those that a topic has when its turn has come. */
export type TopicChange = TopicAlteration | ((own: TopicSettings) => TopicAlteration)

const producerIdBlock = 1000

/**
 * The topics of a data directory: a `LogDirectory` whose logs belong together, and the catalogue
 * that says how.
 *
 * **All or nothing.** The catalogue is one file that is replaced whole, and what it says counts. A
 * topic is made by writing it there with no partition made; then its directories are made; then
 * that is noted. A crash in between leaves a topic whose missing directories the next opening
 * makes, or no topic. Adding partitions is the same. A topic is deleted by marking it there; then
 * its directories are renamed, or at the next opening, and are removed later. Changes run one after
 * the other.
 *
 * Directories that the catalogue does not know (written by a Kafka broker, or without a catalogue)
 * are topics too, with default settings.
 */
export class Topics implements AsyncDisposable {
  readonly directory: LogDirectory
  readonly #fs: FileSystem
  readonly #topics = new TopicTable()
  readonly #settings: TopicSettingsTable
  /** What is being made just now. */
  #unfinished: CataloguedTopic | null = null
  readonly #deleting = new Map<string, CataloguedTopic>()
  readonly #watchers = new Set<(topic: Topic, event: TopicEvent) => void>()
  #beforeCreating: (name: string) => Promise<void> = async () => undefined
  #isClosed = false
  #nextProducerId = 0
  #last: Promise<unknown> = Promise.resolve()

  private constructor(directory: LogDirectory, fs: FileSystem, settings: TopicSettingsTable) {
    this.directory = directory
    this.#fs = fs
    this.#settings = settings
  }

  /**
   * Opens a data directory, made when it is not there, and finishes what a crash has cut short.
   * Rejects like `LogDirectory.open`, and with CorruptCatalogueError.
   */
  static async open(path: string, options: TopicsOptions): Promise<Topics> {
    const { topicDefaults = {}, fs = nodeFileSystem, ...rest } = options
    const settings = new TopicSettingsTable(topicDefaults)
    let found: Catalogue | null = null
    let topics: Topics | null = null
    const ownSettings = (name: string): TopicSettings => {
      if (topics !== null) return topics.#ownSettings(name)
      return found?.topics.find((topic) => topic.name === name)?.settings ?? {}
    }
    const directory = await LogDirectory.open(path, {
      ...rest,
      fs,
      onLocked: async () => {
        found = readCatalogue(fs, path)
        if (found !== null) await renameDeleted(fs, path, found.topics)
      },
      logOptions: (name) => logOptionsOf(settings.resolve(name, ownSettings(name))),
    })
    topics = new Topics(directory, fs, settings)
    try {
      await topics.#load(found ?? { nextProducerId: 0, topics: [] })
      return topics
    } catch (error) {
      await directory.close().catch(() => undefined)
      throw error
    }
  }

  /** By name, in the order in which they were made. */
  get all(): readonly Topic[] {
    return this.#topics.all
  }

  /** Throws TopicNotFoundError. */
  topic(name: string): Topic {
    const topic = this.#topics.get(name)
    if (topic === undefined) throw new TopicNotFoundError(name)
    return topic
  }

  find(name: string): Topic | null {
    return this.#topics.get(name) ?? null
  }

  /** By its id, in Kafka's notation of a UUID. */
  findById(topicId: string): Topic | null {
    return this.#topics.byId(topicId)
  }

  /** Calls back after every change; returns what ends that. */
  watch(watcher: (topic: Topic, event: TopicEvent) => void): () => void {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  /**
   * What has to be done before a topic is made, by a name that no topic has: it must change no
   * topics itself. When it rejects nothing is made.
   */
  beforeCreating(prepare: (name: string) => Promise<void>): void {
    this.#beforeCreating = prepare
  }

  /** Rejects with InvalidTopicError, TopicExistsError, InvalidArgumentError. */
  async create(name: string, partitions: number, settings: TopicSettings): Promise<Topic> {
    checkTopicName(name)
    if (isInternalTopic(name)) throw new InvalidTopicError(name, 'programs do not make this topic')
    return this.#create(name, partitions, settings)
  }

  /** One of Kafka's own topics, made when it is not there. */
  async internal(name: string, partitions: number): Promise<Topic> {
    return (
      this.#topics.get(name) ??
      this.#exclusively(async () => {
        return this.#topics.get(name) ?? (await this.#createNow(name, partitions, {}))
      })
    )
  }

  /** What `create` would make of the settings; throws what it would reject with. */
  checkCreation(name: string, partitions: number, settings: TopicSettings): ResolvedTopicSettings {
    checkTopicName(name)
    if (isInternalTopic(name)) throw new InvalidTopicError(name, 'programs do not make this topic')
    checkPartitions(partitions, 1)
    this.#topics.checkFree(name)
    return this.#settings.resolve(name, checkTopicSettings(settings))
  }

  async #create(name: string, partitions: number, settings: TopicSettings): Promise<Topic> {
    checkPartitions(partitions, 1)
    const own = checkTopicSettings(settings)
    this.#settings.resolve(name, own)
    return this.#exclusively(async () => {
      this.#topics.checkFree(name)
      await this.#finishDeleting(name)
      await this.#beforeCreating(name)
      return this.#createNow(name, partitions, own)
    })
  }

  async #createNow(name: string, partitions: number, settings: TopicSettings): Promise<Topic> {
    const resolved = this.#settings.resolve(name, settings)
    const topicId = newTopicId(randomBytes)
    this.#unfinished = { name, topicId, partitions, made: 0, isDeleting: false, settings }
    await this.#makeUnfinished(0)
    const topic = new Topic(this.directory, { name, topicId, settings: resolved, partitions })
    this.#topics.add(topic)
    this.#settings.keep(name, settings)
    this.#tell(topic, 'created')
    return topic
  }

  /** Notes what is to be made, makes it, and notes that it has been made; or none of it. */
  async #makeUnfinished(from: number): Promise<void> {
    const entry = this.#unfinished
    assert(entry !== null, 'there is something to be made')
    const { name, partitions } = entry
    try {
      await this.#save()
      await this.#makeLogs(entry)
      this.#unfinished = { ...entry, made: partitions }
      await this.#save()
      this.#unfinished = null
    } catch (error) {
      this.#unfinished = null
      await this.#unmake(name, from, partitions).catch(() => undefined)
      throw error
    }
  }

  /** What cannot be taken back now, the next opening finishes instead. */
  async #unmake(name: string, from: number, to: number): Promise<void> {
    await this.#removeLogs(name, from, to)
    await this.#save()
  }

  /** What topics were given themselves, and what holds where they were given nothing. */
  get settings(): GivenTopicSettings {
    return this.#settings
  }

  /**
   * Other defaults from now on, for the topics that are there too; whoever opens the directory next
   * gives them again. Rejects with InvalidArgumentError, and then nothing has changed.
   */
  async alterDefaults(defaults: TopicSettings): Promise<void> {
    return this.#exclusively(async () => {
      this.#settings.setDefaults(defaults)
      for (const topic of this.all) {
        const resolved = this.#settings.resolve(topic.name)
        if (!isDeepStrictEqual(resolved, topic.settings)) await this.#apply(topic, resolved)
      }
    })
  }

  /** What settings `alter` would make; throws what it would reject with. */
  checkAlteration(name: string, change: TopicChange): ResolvedTopicSettings {
    this.#changeable(name)
    return this.#settings.resolve(name, this.#altered(name, change))
  }

  /** Changes settings. Rejects with TopicNotFoundError, InvalidTopicError, InvalidArgumentError. */
  async alter(name: string, change: TopicChange): Promise<Topic> {
    return this.#exclusively(async () => {
      const topic = this.#changeable(name)
      const before = this.#settings.own(name)
      const own = this.#altered(name, change)
      const resolved = this.#settings.resolve(name, own)
      this.#settings.keep(name, own)
      try {
        await this.#save()
      } catch (error) {
        this.#settings.keep(name, before)
        await this.#save().catch(() => undefined)
        throw error
      }
      await this.#apply(topic, resolved)
      return topic
    })
  }

  #altered(name: string, change: TopicChange): TopicSettings {
    const before = this.#settings.own(name)
    const alteration = typeof change === 'function' ? change(before) : change
    return checkTopicSettings(alteredSettings(before, alteration))
  }

  /** Makes it so many partitions. Rejects with TopicNotFoundError, InvalidArgumentError. */
  async grow(name: string, partitions: number): Promise<Topic> {
    return this.#exclusively(async () => {
      const topic = this.#changeable(name)
      const before = topic.partitions.length
      checkPartitions(partitions, before + 1)
      this.#unfinished = { ...this.#entryOf(topic), partitions, made: before }
      await this.#makeUnfinished(before)
      topic.grow(partitions)
      this.#tell(topic, 'grown')
      return topic
    })
  }

  /**
   * Deletes a topic with its records: for everybody at once; its files, under other names, go after
   * its `fileDeleteDelayMs`. Rejects with TopicNotFoundError, InvalidTopicError.
   */
  async delete(name: string): Promise<void> {
    return this.#exclusively(async () => {
      const topic = this.#changeable(name)
      this.#deleting.set(name, { ...this.#entryOf(topic), isDeleting: true })
      this.#topics.remove(topic)
      try {
        await this.#save()
      } catch (error) {
        this.#deleting.delete(name)
        this.#topics.add(topic)
        // It may be on the disk all the same, and would delete what is appended from now on.
        await this.#save().catch(() => undefined)
        throw error
      }
      topic.deleted()
      this.#tell(topic, 'deleted')
      await this.#finishDeleting(name)
      await this.#save()
    })
  }

  /** Also of a deletion that a failure cut short, before its name is used again. */
  async #finishDeleting(name: string): Promise<void> {
    const { partitions = 0 } = this.#deleting.get(name) ?? {}
    await this.#removeLogs(name, 0, partitions)
    if (this.#deleting.delete(name)) this.#settings.forget(name)
  }

  /**
   * A block of producer ids that nobody has had: the first of it, and how many. Noted durably
   * before it is handed out, so that no id is ever handed out twice.
   */
  async takeProducerIds(): Promise<{ readonly first: number; readonly count: number }> {
    return this.#exclusively(async () => {
      const first = this.#nextProducerId
      this.#nextProducerId += producerIdBlock
      await this.#save()
      return { first, count: producerIdBlock }
    })
  }

  /** Ends changes: what is asked for later is refused with ClosedError, and changes no file. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#last.catch(() => undefined)
    await this.directory.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #load(catalogue: Catalogue): Promise<void> {
    const { topics } = catalogue
    for (const { name, topicId, partitions, isDeleting, settings: own } of topics) {
      if (isDeleting) continue
      const settings = this.#settings.resolve(name, own)
      this.#topics.add(new Topic(this.directory, { name, topicId, settings, partitions }))
      this.#settings.keep(name, own)
    }
    this.#adopt()
    this.#nextProducerId = Math.max(
      catalogue.nextProducerId,
      unusedProducerId(this.directory.logs.values(), producerIdBlock),
    )
    const unmade = topics.filter(({ isDeleting, made, partitions }) => {
      return !isDeleting && made < partitions
    })
    for (const entry of unmade) await this.#makeLogs(entry)
    if (unmade.length > 0 || topics.some(({ isDeleting }) => isDeleting)) await this.#save()
  }

  #ownSettings(name: string): TopicSettings {
    const isUnfinished = this.#unfinished?.name === name
    return (isUnfinished ? this.#unfinished?.settings : null) ?? this.#settings.own(name)
  }

  /** Directories that are not in the catalogue are partitions too. */
  #adopt(): void {
    const { logs, failures } = this.directory
    for (const directoryName of [...logs.keys(), ...failures.keys()].sort()) {
      const parsed = parsePartitionDirectoryName(directoryName)
      if (parsed === null) continue
      const { topic: name, partition } = parsed
      const known = this.#topics.get(name)
      if (known !== undefined) {
        if (partition >= known.partitions.length) known.grow(partition + 1)
        continue
      }
      const topicId =
        topicIdIn(this.#fs, `${this.directory.path}/${directoryName}`) ?? newTopicId(randomBytes)
      const settings = this.#settings.resolve(name, {})
      const partitions = partition + 1
      this.#topics.add(new Topic(this.directory, { name, topicId, settings, partitions }))
      this.#settings.keep(name, {})
    }
  }

  async #makeLogs({ name, topicId, made, partitions }: CataloguedTopic): Promise<void> {
    for (let partition = made; partition < partitions; partition++) {
      const { logs, failures } = this.directory
      const logName = partitionName({ topic: name, partition })
      if (logs.has(logName) || failures.has(logName)) continue
      await this.directory.createLog(name, partition, { topicId })
    }
  }

  async #removeLogs(name: string, from: number, to: number): Promise<void> {
    for (let partition = from; partition < to; partition++) {
      const path = `${this.directory.path}/${name}-${partition}`
      if (this.#fs.stat(path) !== null) await this.directory.deleteLog(name, partition)
    }
  }

  async #apply(topic: Topic, settings: ResolvedTopicSettings): Promise<void> {
    topic.alter(settings)
    for (const { name } of topic.partitions) {
      const log = this.directory.logs.get(name)
      if (log !== undefined && !log.isFailed) await log.alter(logOptionsOf(settings))
    }
  }

  #changeable(name: string): Topic {
    const topic = this.topic(name)
    if (isInternalTopic(name))
      throw new InvalidTopicError(name, 'programs do not change this topic')
    return topic
  }

  #entryOf({ name, topicId, partitions }: Topic): CataloguedTopic {
    const count = partitions.length
    const settings = this.#settings.own(name)
    return { name, topicId, partitions: count, made: count, isDeleting: false, settings }
  }

  async #save(): Promise<void> {
    const unfinished = this.#unfinished
    const live = this.all
      .filter(({ name }) => name !== unfinished?.name)
      .map((topic) => this.#entryOf(topic))
    if (unfinished !== null) live.push(unfinished)
    await writeCatalogue(this.#fs, this.directory.path, {
      nextProducerId: this.#nextProducerId,
      topics: [...live, ...this.#deleting.values()],
    })
  }

  #tell(topic: Topic, event: TopicEvent): void {
    for (const watcher of [...this.#watchers]) watcher(topic, event)
  }

  /** Runs a change when those before it have ended. */
  #exclusively<Result>(run: () => Promise<Result>): Promise<Result> {
    if (this.#isClosed) return Promise.reject(new ClosedError('the data directory'))
    const result = this.#last.then(run)
    this.#last = result.catch(() => undefined)
    return result
  }
}

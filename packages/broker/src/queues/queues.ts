import type { Clock } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'
import { ClosedError, TopicExistsError, TopicNotFoundError } from '../base/broker-errors.ts'
import type { Logger } from '../base/logger.ts'
import { queueStateTopic } from '../base/topic-names.ts'
import { deadLetterTopicOf } from '../handling/dead-letter.ts'
import { DeadLetterTopics } from '../handling/dead-letter-topics.ts'
import type { MeasuredQueue } from '../metrics/measured.ts'
import type { Topic } from '../topics/topic.ts'
import type { Topics } from '../topics/topics.ts'
import { Queue, type QueueOptions } from './queue.ts'
import { QueueStateLog } from './queue-state-log.ts'

/** A queue of a data directory: its topic, and where rejected records go. */
export interface NamedQueueOptions extends QueueOptions {
  /**
   * The topic whose records it delivers. One of the queue's own name is made where it is not there,
   * without retention: its records stay until they are finished, and are deleted then.
   * @defaultValue the queue's name
   */
  readonly topic?: string
  /**
   * Where rejected records go; made where it is not there. Null: nowhere, they are gone.
   * @defaultValue `<topic>.dead-letter`
   */
  readonly deadLetterTopic?: string | null
  /**
   * Where what is noted of its deliveries cannot be read: `fail` with CorruptQueueStateError, or
   * `redeliver` what is not known to be finished, and go on. @defaultValue 'fail'
   */
  readonly whenStateCorrupt?: 'fail' | 'redeliver'
}

export interface QueuesOptions {
  readonly topics: Topics
  readonly clock: Clock
  /** 0 to 1. */
  readonly random: () => number
  readonly logger: Logger
}

/** The queues of a data directory. Each is opened when it is first asked for. */
export class Queues implements AsyncDisposable {
  readonly #options: QueuesOptions
  readonly #queues = new Map<string, Promise<Queue>>()
  readonly #opened = new Set<Queue>()
  readonly #unwatch: () => void
  #state: Promise<QueueStateLog> | null = null
  #isClosed = false

  constructor(options: QueuesOptions) {
    this.#options = options
    this.#unwatch = options.topics.watch((topic, event) => {
      if (event === 'deleted') this.#topicDeleted(topic.name)
      if (event === 'grown') this.#topicGrown(topic)
    })
  }

  /**
   * A queue, opened where it is not yet: everybody who asks for it has the same one, with the
   * options of the first. Rejects with TopicNotFoundError for another topic that is not there,
   * InvalidTopicError, InvalidArgumentError, CorruptQueueStateError.
   */
  queue(name: string, options: NamedQueueOptions = {}): Promise<Queue> {
    if (this.#isClosed) return Promise.reject(new ClosedError('the data directory'))
    const known = this.#queues.get(name)
    if (known !== undefined) return known
    const opening = this.#open(name, options)
    this.#queues.set(name, opening)
    // Asked again, it is tried again.
    opening.catch(() => this.#queues.delete(name))
    return opening
  }

  /**
   * A partition has been opened again: of a topic whose queues go on with it, or of the one that
   * has the state of all queues. Resolves when they have, or have failed.
   */
  async reopened(topic: string, partition: number): Promise<void> {
    const isState = topic === queueStateTopic
    if (isState) this.#state = null
    await Promise.allSettled(this.#queues.values())
    const concerned = [...this.#opened].filter((queue) => isState || queue.topic === topic)
    await Promise.all(concerned.map((queue) => this.#renew(queue, isState ? null : partition)))
  }

  async #renew(queue: Queue, which: number | null): Promise<void> {
    const { topics, logger } = this.#options
    try {
      const topic = topics.topic(queue.topic)
      const logOf = (partition: number) => topic.partition(partition).log
      await queue.renew(which, logOf, async () => {
        const state = await this.#loadState()
        const damage = state.damageOf(queue.name, topic.topicId)
        if (damage !== null) throw damage
        return state.of(topic.topicId)
      })
    } catch (error) {
      logger.error({ err: error, queue: queue.name }, 'a queue does not go on after reopening')
    }
  }

  /** The queues that are open, as metrics show them. */
  measured(): MeasuredQueue[] {
    return [...this.#opened].map(({ name, length, inFlight, oldestAgeMs }) => ({
      queue: name,
      length: length - inFlight,
      inFlight,
      oldestAgeMs: oldestAgeMs ?? 0,
    }))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#unwatch()
    const queues = await Promise.allSettled(this.#queues.values())
    await Promise.all(
      queues.map((queue) => (queue.status === 'fulfilled' ? queue.value.close() : undefined)),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Its queues end; asked for again they begin anew. */
  #topicDeleted(topic: string): void {
    for (const queue of this.#opened) {
      if (queue.topic !== topic) continue
      this.#opened.delete(queue)
      this.#queues.delete(queue.name)
      queue.end(new TopicNotFoundError(topic)).catch((error: unknown) => {
        this.#options.logger.error({ err: error, queue: queue.name }, 'a queue was not closed')
      })
    }
  }

  #topicGrown(topic: Topic): void {
    for (const queue of this.#opened) {
      if (queue.topic !== topic.name) continue
      this.#grow(queue, topic).catch((error: unknown) => {
        this.#options.logger.error({ err: error, queue: queue.name }, 'a queue could not grow')
      })
    }
  }

  async #grow(queue: Queue, topic: Topic): Promise<void> {
    await queue.grow(topic.partitions.map(({ log }) => log))
  }

  async #open(name: string, options: NamedQueueOptions): Promise<Queue> {
    if (typeof name !== 'string' || name === '') {
      throw new InvalidArgumentError('name', name, 'the name of a queue is a non-empty string')
    }
    const { topic: topicName = name, whenStateCorrupt = 'fail', ...rest } = options
    const { deadLetterTopic = deadLetterTopicOf(topicName), ...queueOptions } = rest
    const { clock, random, topics, logger } = this.#options
    const isOwn = topicName === name
    const topic = isOwn ? await this.#ownTopic(name) : topics.topic(topicName)
    this.#state ??= this.#openState().catch((error: unknown) => {
      // Asked again, it is tried again.
      this.#state = null
      throw error
    })
    const state = await this.#state
    if (whenStateCorrupt === 'redeliver') await state.forgetDamage(name, topic.topicId)
    const damage = state.damageOf(name, topic.topicId)
    if (damage !== null) throw damage
    const letters = new DeadLetterTopics(topics, clock)
    const deadLetter = deadLetterTopic === null ? null : letters.sink(deadLetterTopic)
    const context = {
      name,
      topic: topicName,
      logs: topic.partitions.map(({ log }) => log),
      state: state.of(topic.topicId),
      clock,
      random,
      recordTtlMs: () => topic.settings.recordTtlMs,
      ...(deadLetter !== null && { deadLetter }),
      onError: (error: unknown) => logger.error({ err: error, queue: name }, 'a queue has trouble'),
    }
    const queue = await Queue.open(context, { deleteFinished: isOwn, ...queueOptions })
    if (topic.isDeleted) {
      await queue.close()
      throw new TopicNotFoundError(topicName)
    }
    this.#opened.add(queue)
    if (topic.partitions.length > queue.partitionCount) await this.#grow(queue, topic)
    return queue
  }

  async #openState(): Promise<QueueStateLog> {
    const { topics } = this.#options
    const state = await this.#loadState()
    await state.keepOnly(new Set(topics.all.map(({ topicId }) => topicId)))
    return state
  }

  async #loadState(): Promise<QueueStateLog> {
    const { topics, logger } = this.#options
    const topic = await topics.internal(queueStateTopic, 1)
    return QueueStateLog.load(topic.partition(0).log, (error, offset) => {
      logger.error({ err: error, offset }, `skipped a record of ${queueStateTopic}`)
    })
  }

  async #ownTopic(name: string): Promise<Topic> {
    const { topics } = this.#options
    const found = topics.find(name)
    if (found !== null) return found
    return topics.create(name, 1, { retentionMs: -1 }).catch((error: unknown) => {
      // Somebody was faster.
      if (error instanceof TopicExistsError) return topics.topic(name)
      throw error
    })
  }
}

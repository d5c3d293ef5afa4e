import { InvalidTopicError, TopicExistsError } from '../base/broker-errors.ts'
import { collidingTopic } from '../base/topic-names.ts'
import type { Topic } from './topic.ts'

/** The topics that are there, found by name and by id; in the order in which they were made. */
export class TopicTable {
  readonly #byName = new Map<string, Topic>()
  readonly #byId = new Map<string, Topic>()

  get all(): readonly Topic[] {
    return [...this.#byName.values()]
  }

  /** @param topicId in Kafka's notation of a UUID */
  byId(topicId: string): Topic | null {
    return this.#byId.get(topicId) ?? null
  }

  get(name: string): Topic | undefined {
    return this.#byName.get(name)
  }

  has(name: string): boolean {
    return this.#byName.has(name)
  }

  names(): Iterable<string> {
    return this.#byName.keys()
  }

  add(topic: Topic): void {
    this.#byName.set(topic.name, topic)
    this.#byId.set(topic.topicId, topic)
  }

  remove({ name, topicId }: Topic): void {
    this.#byName.delete(name)
    this.#byId.delete(topicId)
  }

  /** Throws TopicExistsError, and InvalidTopicError for a name that collides with another's. */
  checkFree(name: string): void {
    if (this.has(name)) throw new TopicExistsError(name)
    const colliding = collidingTopic(name, this.names())
    if (colliding === null) return
    throw new InvalidTopicError(name, `it collides with '${colliding}' in metrics' names`)
  }
}

import { InvalidTopicError } from './broker-errors.ts'

/** Committed offsets of groups; Kafka's name. */
export const offsetsTopic = '__consumer_offsets'
/** What is known of transactional producers; Kafka's name. */
export const transactionsTopic = '__transaction_state'
/** The state of deliveries of queues; Varve's own. */
export const queueStateTopic = '__varve_queue_state'

const internalTopics: ReadonlySet<string> = new Set([
  offsetsTopic,
  transactionsTopic,
  queueStateTopic,
  '__share_group_state',
  '__cluster_metadata',
])

/** Kafka's limit, so that `<topic>-<partition>` fits a file name. */
const topicCharactersMax = 249

/**
 * Whether the name is one of Kafka's own internal topics, or of Varve's, which the library writes
 * and programs only read.
 */
export function isInternalTopic(topic: string): boolean {
  return internalTopics.has(topic)
}

/**
 * Throws InvalidTopicError unless Kafka accepts the name (its `Topic.validate`): 1 to 249 ASCII
 * letters, digits, `.`, `_` and `-`, and not `.` or `..`. So no name leads out of the data
 * directory.
 */
export function checkTopicName(topic: unknown): asserts topic is string {
  if (typeof topic !== 'string') {
    throw new InvalidTopicError(String(topic), 'the name of a topic is a string')
  }
  if (topic === '') throw new InvalidTopicError(topic, 'the name of a topic is not empty')
  if (topic === '.' || topic === '..') {
    throw new InvalidTopicError(topic, "the name of a topic is not '.' or '..'")
  }
  if (topic.length > topicCharactersMax) {
    const rule = `the name of a topic has at most ${topicCharactersMax} characters`
    throw new InvalidTopicError(topic, rule)
  }
  if (!/^[a-zA-Z0-9._-]+$/.test(topic)) {
    const rule = "the name of a topic is made of ASCII letters, digits, '.', '_' and '-'"
    throw new InvalidTopicError(topic, rule)
  }
}

/**
 * The topic among `others` with which a new one would collide in the names of Kafka's metrics,
 * where `.` becomes `_` (its `Topic.hasCollision`); null when there is none.
 */
export function collidingTopic(topic: string, others: Iterable<string>): string | null {
  const folded = fold(topic)
  for (const other of others) if (other !== topic && fold(other) === folded) return other
  return null
}

function fold(topic: string): string {
  return topic.replaceAll('.', '_')
}

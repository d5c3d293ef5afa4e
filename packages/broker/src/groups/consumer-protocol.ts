import type { TopicPartition } from '../base/topic-partition.ts'
import { CorruptGroupRecordError } from './group-errors.ts'
import { SchemaReader } from './schema-reader.ts'
import { SchemaWriter } from './schema-writer.ts'

/**
 * What a consumer tells the group when it joins: Kafka's ConsumerProtocolSubscription.
 *
 *     int16 version | array of string topics | bytes? userData
 *     | array of { string topic | array of int32 partitions } ownedPartitions (1+)
 *     | int32 generationId (2+) | string? rackId (3+)
 */
export interface Subscription {
  readonly topics: readonly string[]
  readonly userData: Buffer | null
  /** What the member has now and could keep. */
  readonly ownedPartitions: readonly TopicPartition[]
  /** In which it got them; -1 where it is not known. */
  readonly generationId: number
  readonly rackId: string | null
}

/**
 * What a consumer is given: Kafka's ConsumerProtocolAssignment.
 *
 *     int16 version | array of { string topic | array of int32 partitions } | bytes? userData
 */
export interface Assignment {
  readonly partitions: readonly TopicPartition[]
  readonly userData: Buffer | null
}

/** A newer version begins like the latest that is known: Kafka's promise for this protocol. */
const latestVersion = 3

const subscriptionVersions = {
  subject: 'consumer protocol subscription',
  latest: latestVersion,
  firstFlexible: Infinity,
} as const
const assignmentVersions = { ...subscriptionVersions, subject: 'consumer protocol assignment' }

export function encodeSubscription(
  subscription: Subscription,
  version: number = latestVersion,
): Buffer {
  const writer = new SchemaWriter(version, Infinity)
  writer.array(subscription.topics, (topic) => writer.string(topic)).bytes(subscription.userData)
  if (version >= 1) writePartitions(writer, subscription.ownedPartitions)
  if (version >= 2) writer.int32(subscription.generationId)
  if (version >= 3) writer.string(subscription.rackId)
  return writer.finish()
}

/** Throws CorruptGroupRecordError. */
export function decodeSubscription(bytes: Buffer): Subscription {
  const reader = new SchemaReader(bytes, subscriptionVersions)
  const { version } = reader
  const topics = reader.array(() => reader.string())
  const userData = reader.nullableBytes()
  const ownedPartitions = version >= 1 ? readPartitions(reader) : []
  const generationId = version >= 2 ? reader.int32() : -1
  const rackId = version >= 3 ? reader.nullableString() : null
  return { topics, userData, ownedPartitions, generationId, rackId }
}

/** As `decodeSubscription`; who says what is not understood reads nothing. */
export function understoodSubscription(bytes: Buffer): Subscription {
  try {
    return decodeSubscription(bytes)
  } catch (error) {
    if (!(error instanceof CorruptGroupRecordError)) throw error
    return { topics: [], userData: null, ownedPartitions: [], generationId: -1, rackId: null }
  }
}

/** The topics of a subscription, of whatever version; null for what is none. */
export function subscribedTopics(bytes: Buffer): ReadonlySet<string> | null {
  try {
    const reader = new SchemaReader(bytes, subscriptionVersions)
    return new Set(reader.array(() => reader.string()))
  } catch (error) {
    if (error instanceof CorruptGroupRecordError) return null
    throw error
  }
}

/** Whether two subscriptions are to the same topics; where they are not understood they are. */
export function readsTheSameTopics(one: Buffer, other: Buffer): boolean {
  const topics = subscribedTopics(one)
  const others = subscribedTopics(other)
  if (topics === null || others === null) return true
  return topics.size === others.size && [...topics].every((topic) => others.has(topic))
}

export function encodeAssignment(assignment: Assignment, version: number = latestVersion): Buffer {
  const writer = new SchemaWriter(version, Infinity)
  writePartitions(writer, assignment.partitions)
  return writer.bytes(assignment.userData).finish()
}

/** No bytes are no partitions: what a member gets that the leader left out. */
export function decodeAssignment(bytes: Buffer): Assignment {
  if (bytes.length === 0) return { partitions: [], userData: null }
  const reader = new SchemaReader(bytes, assignmentVersions)
  const partitions = readPartitions(reader)
  return { partitions, userData: reader.nullableBytes() }
}

function writePartitions(writer: SchemaWriter, partitions: readonly TopicPartition[]): void {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const list = byTopic.get(topic)
    if (list === undefined) byTopic.set(topic, [partition])
    else list.push(partition)
  }
  writer.array([...byTopic], ([topic, list]) => {
    writer.string(topic).array(list, (partition) => writer.int32(partition))
  })
}

function readPartitions(reader: SchemaReader): TopicPartition[] {
  const topics = reader.array(() => {
    const topic = reader.string()
    return reader.array(() => ({ topic, partition: reader.int32() }))
  })
  return topics.flat()
}

import { VarveError } from '@varve/record'

/** A name that no topic may have (Kafka: INVALID_TOPIC_EXCEPTION). */
export class InvalidTopicError extends VarveError {
  readonly code = 'VARVE_INVALID_TOPIC'
  readonly kafkaErrorCode = 17
  readonly topic: string

  constructor(topic: string, rule: string) {
    super(`'${topic.length > 80 ? `${topic.slice(0, 80)}…` : topic}': ${rule}`)
    this.topic = topic
  }
}

/** There is a topic of this name already (Kafka: TOPIC_ALREADY_EXISTS). */
export class TopicExistsError extends VarveError {
  readonly code = 'VARVE_TOPIC_EXISTS'
  readonly kafkaErrorCode = 36
  readonly topic: string

  constructor(topic: string) {
    super(`there is a topic '${topic}' already`)
    this.topic = topic
  }
}

/** There is no such topic, or no such partition of it (Kafka: UNKNOWN_TOPIC_OR_PARTITION). */
export class TopicNotFoundError extends VarveError {
  readonly code = 'VARVE_TOPIC_NOT_FOUND'
  readonly kafkaErrorCode = 3
  readonly topic: string
  /** Null where the whole topic is missing. */
  readonly partition: number | null

  constructor(topic: string, partition: number | null = null, partitions = 0) {
    super(
      partition === null
        ? `there is no topic '${topic}'`
        : `topic '${topic}' has ${partitions} ${partitions === 1 ? 'partition' : 'partitions'}, ` +
            `counted from 0: none is ${partition}`,
      partition === null ? { hint: 'make it with createTopic' } : {},
    )
    this.topic = topic
    this.partition = partition
  }
}

/** The file that says which topics there are is damaged. */
export class CorruptCatalogueError extends VarveError {
  readonly code = 'VARVE_CORRUPT_CATALOGUE'
  readonly path: string
  readonly reason: string

  constructor(path: string, reason: string) {
    super(`corrupt catalogue of topics ${path}: ${reason}`, {
      hint:
        'restore the file from a backup; without it every topic is found again, but with default ' +
        'settings, so that compacted topics would lose records to retention',
    })
    this.path = path
    this.reason = reason
  }
}

/** The file that says which topics there are would be too large (Kafka: POLICY_VIOLATION). */
export class CatalogueFullError extends VarveError {
  readonly code = 'VARVE_CATALOGUE_FULL'
  readonly kafkaErrorCode = 44
  readonly sizeBytesMax: number

  constructor(sizeBytesMax: number) {
    super(`the catalogue of topics would be larger than ${sizeBytesMax} bytes`, {
      hint: 'delete topics that nobody uses, or put more into each',
    })
    this.sizeBytesMax = sizeBytesMax
  }
}

/** The data directory, the producer or the consumer was closed. */
export class ClosedError extends VarveError {
  readonly code = 'VARVE_CLOSED'

  constructor(what: string) {
    super(`${what} is closed`)
  }
}

/** A newer instance with the same name or transactional id has begun (Kafka: PRODUCER_FENCED). */
export class ProducerFencedError extends VarveError {
  readonly code = 'VARVE_PRODUCER_FENCED'
  readonly kafkaErrorCode = 90
  readonly producer: string

  constructor(producer: string, why: string) {
    super(`producer '${producer}' may not go on: ${why}`, {
      hint: 'close it; only the newest producer of a name or transactional id can send',
    })
    this.producer = producer
  }
}

/** A record's own timestamp is too far from now for its topic (Kafka: INVALID_TIMESTAMP). */
export class InvalidTimestampError extends VarveError {
  readonly code = 'VARVE_INVALID_TIMESTAMP'
  readonly kafkaErrorCode = 32
  readonly timestamp: number

  constructor(timestamp: number, setting: string, limitMs: number) {
    super(
      `the record's timestamp ${timestamp} is farther from now than ${setting}, ${limitMs} ms`,
      {
        hint: `send records sooner, or alter the topic's ${setting}; -1 allows any timestamp`,
      },
    )
    this.timestamp = timestamp
  }
}

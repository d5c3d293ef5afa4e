import type { LogRecord, Offset, RecordHeader, Timestamp } from '@varve/record'
import type { Deserializer } from '../base/serializers.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { RawRecord } from '../handling/handled-record.ts'

/** How keys and values are made of bytes. */
export interface Deserializers<Key, Value> {
  readonly key: Deserializer<Key>
  readonly value: Deserializer<Value>
}

/**
 * A record as a consumer gets it. Key and value are deserialized when they are asked for, once;
 * what a deserializer throws comes from there.
 */
export class ConsumerRecord<Key = Buffer, Value = Buffer> implements TopicPartition {
  readonly topic: string
  readonly partition: number
  readonly offset: Offset
  /** Milliseconds since the epoch; -1 none. */
  readonly timestamp: Timestamp
  /** Of the leader that appended it, for commits; -1 unknown. */
  readonly leaderEpoch: number
  readonly #record: LogRecord
  readonly #deserializers: Deserializers<Key, Value>
  #key: Key | null | undefined = undefined
  #value: Value | null | undefined = undefined

  /** @internal Records come from consumers. */
  constructor(
    { topic, partition }: TopicPartition,
    record: LogRecord,
    leaderEpoch: number,
    deserializers: Deserializers<Key, Value>,
  ) {
    this.topic = topic
    this.partition = partition
    this.offset = record.offset
    this.timestamp = record.timestamp
    this.leaderEpoch = leaderEpoch
    this.#record = record
    this.#deserializers = deserializers
  }

  get key(): Key | null {
    if (this.#key === undefined) {
      const { key } = this.#record
      this.#key = key === null ? null : this.#deserializers.key.deserialize(key, this.topic)
    }
    return this.#key
  }

  /** Null is a tombstone. */
  get value(): Value | null {
    if (this.#value === undefined) {
      const { value } = this.#record
      this.#value = value === null ? null : this.#deserializers.value.deserialize(value, this.topic)
    }
    return this.#value
  }

  get headers(): readonly RecordHeader[] {
    return this.#record.headers
  }

  /** The record in bytes, as it was appended: for dead letters. */
  get raw(): RawRecord {
    const { topic, partition, offset, timestamp } = this
    const { key, value, headers } = this.#record
    return { topic, partition, offset, timestamp, key, value, headers }
  }
}

import type { Clock } from '@varve/log'
import { InvalidArgumentError, type RecordInput } from '@varve/record'
import { withExpiry } from '../base/record-expiry.ts'
import type { Serializer } from '../base/serializers.ts'
import type { ProducerRecord } from './sent.ts'

/** Makes records out of what a program sends. */
export class RecordSerializer<Key, Value> {
  readonly #key: Serializer<Key> | null
  readonly #value: Serializer<Value> | null
  readonly #clock: Clock

  constructor(
    clock: Clock,
    key: Serializer<Key> | undefined,
    value: Serializer<Value> | undefined,
  ) {
    this.#clock = clock
    this.#key = key ?? null
    this.#value = value ?? null
  }

  /** Without serializers the record itself: nothing is made. Throws what a serializer throws. */
  one(topic: string, record: ProducerRecord<Key, Value>): RecordInput {
    const serialized = this.#serialize(topic, record)
    if (record?.ttlMs === undefined) return serialized
    const { ttlMs, timestamp = this.#clock.now() } = record
    if (!Number.isSafeInteger(ttlMs) || ttlMs < 1) {
      throw new InvalidArgumentError('ttlMs', ttlMs, 'must be a positive integer')
    }
    return withExpiry(serialized, timestamp + ttlMs)
  }

  #serialize(topic: string, record: ProducerRecord<Key, Value>): RecordInput {
    if (this.#key === null && this.#value === null) return record as RecordInput
    if (typeof record !== 'object' || record === null) {
      throw new InvalidArgumentError('record', record, 'must be an object with a key, a value')
    }
    const { key = null, value = null, headers, timestamp } = record
    return {
      key: key === null || this.#key === null ? (key as null) : this.#key.serialize(key, topic),
      value:
        value === null || this.#value === null
          ? (value as null)
          : this.#value.serialize(value, topic),
      ...(headers !== undefined && { headers }),
      ...(timestamp !== undefined && { timestamp }),
    }
  }

  all(topic: string, records: ReadonlyArray<ProducerRecord<Key, Value>>): readonly RecordInput[] {
    const isPlain = this.#key === null && this.#value === null
    if (isPlain && records.every((record) => record?.ttlMs === undefined)) {
      return records as readonly RecordInput[]
    }
    return records.map((record) => this.one(topic, record))
  }
}

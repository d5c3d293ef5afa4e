import { strict as assert } from 'node:assert'
import { InvalidArgumentError, type Timestamp } from '@varve/record'
import type { TopicPartition } from '../base/topic-partition.ts'
import { CorruptTransactionRecordError } from './transaction-errors.ts'

/** Where a transactional id is in its life (Kafka's TransactionState; the order is the number). */
export const transactionStatuses = [
  'empty',
  'ongoing',
  'prepareCommit',
  'prepareAbort',
  'completeCommit',
  'completeAbort',
  'dead',
  'prepareEpochFence',
] as const

export type TransactionStatus = (typeof transactionStatuses)[number]

/** What `__transaction_state` says of a transactional id. */
export interface TransactionRecord {
  readonly producerId: number
  /** The producer id before this one, when its epochs were used up; -1 none. */
  readonly previousProducerId: number
  readonly producerEpoch: number
  readonly timeoutMs: number
  readonly status: TransactionStatus
  /** The partitions of the transaction that is going on, or about to end. */
  readonly partitions: readonly TopicPartition[]
  readonly lastUpdateMs: Timestamp
  /** -1 when none is going on. */
  readonly startMs: Timestamp
}

// Kafka's TransactionLogKey and TransactionLogValue, big-endian:
//
//   key      int16 version (0) | string id
//   value 0  int16 version | int64 producerId | int16 producerEpoch | int32 timeoutMs
//            | int8 status | array? of { string topic | array of int32 }
//            | int64 lastUpdateMs | int64 startMs
//   value 1  the same with compact strings and arrays, and tagged fields after each struct:
//            tag 0 = int64 previousProducerId
//
// Version 0 is written wherever there is no previous producer id, as every Kafka reads it.
const idBytesMax = 2 ** 15 - 1
const previousProducerIdTag = 0

export function encodeTransactionKey(id: string): Buffer {
  const size = Buffer.byteLength(id)
  if (size > idBytesMax) {
    throw new InvalidArgumentError('transactionalId', id, `has more than ${idBytesMax} bytes`)
  }
  const bytes = Buffer.alloc(4 + size)
  bytes.writeInt16BE(size, 2)
  bytes.write(id, 4)
  return bytes
}

/** Null for keys of versions that are not known. Throws CorruptTransactionRecordError. */
export function decodeTransactionKey(bytes: Buffer): string | null {
  const reader = new FieldReader(bytes, 'key')
  if (reader.version !== 0) return null
  return reader.string()
}

export function encodeTransactionValue(record: TransactionRecord): Buffer {
  const isFlexible = record.previousProducerId >= 0
  const status = transactionStatuses.indexOf(record.status)
  assert(status >= 0, 'a status is one of Kafka’s')
  const chunks: Buffer[] = [
    int16(isFlexible ? 1 : 0),
    int64(record.producerId),
    int16(record.producerEpoch),
    int32(record.timeoutMs),
    Buffer.of(status),
  ]
  const count = (length: number): Buffer => (isFlexible ? varint(length + 1) : int32(length))
  const topics = byTopic(record.partitions)
  chunks.push(count(topics.size))
  for (const [topic, partitions] of topics) {
    const name = Buffer.from(topic)
    chunks.push(isFlexible ? varint(name.length + 1) : int16(name.length), name)
    chunks.push(count(partitions.length), ...partitions.map(int32))
    if (isFlexible) chunks.push(varint(0))
  }
  chunks.push(int64(record.lastUpdateMs), int64(record.startMs))
  if (isFlexible) {
    const previous = int64(record.previousProducerId)
    chunks.push(varint(1), varint(previousProducerIdTag), varint(previous.length), previous)
  }
  return Buffer.concat(chunks)
}

/** Null for versions that are not known. Throws CorruptTransactionRecordError. */
export function decodeTransactionValue(bytes: Buffer): TransactionRecord | null {
  const reader = new FieldReader(bytes, 'value')
  if (reader.version > 1) return null
  const producerId = reader.int64()
  const producerEpoch = reader.int16()
  const timeoutMs = reader.int32()
  const status = transactionStatuses[reader.int8()]
  if (status === undefined) throw reader.corrupt('its status is none of Kafka’s')
  const partitions: TopicPartition[] = []
  reader.array(() => {
    const topic = reader.string()
    reader.array(() => void partitions.push({ topic, partition: reader.int32() }))
    reader.tags()
  })
  const lastUpdateMs = reader.int64()
  const startMs = reader.int64()
  const previousProducerId = reader.tags().get(previousProducerIdTag)?.readBigInt64BE(0) ?? -1n
  return {
    ...{ producerId, producerEpoch, timeoutMs, status, partitions, lastUpdateMs, startMs },
    previousProducerId: Number(previousProducerId),
  }
}

function byTopic(partitions: readonly TopicPartition[]): ReadonlyMap<string, number[]> {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const known = topics.get(topic)
    if (known === undefined) topics.set(topic, [partition])
    else known.push(partition)
  }
  return topics
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80)
  bytes.push(value)
  return Buffer.from(bytes)
}

/** Reads fields one after the other; whatever does not fit is a CorruptTransactionRecordError. */
class FieldReader {
  readonly version: number
  readonly #bytes: Buffer
  readonly #what: string
  #at = 0

  constructor(bytes: Buffer, what: string) {
    this.#bytes = bytes
    this.#what = what
    this.version = this.int16()
    if (this.version < 0) throw this.corrupt(`its version is ${this.version}`)
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1))
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4))
  }

  int64(): number {
    const value = Number(this.#bytes.readBigInt64BE(this.#take(8)))
    if (!Number.isSafeInteger(value)) throw this.corrupt('an int64 is beyond 2^53')
    return value
  }

  string(): string {
    const length = this.#isFlexible ? this.#varint() - 1 : this.int16()
    if (length < 0) throw this.corrupt('a string has no length')
    const start = this.#take(length)
    return this.#bytes.toString('utf8', start, start + length)
  }

  /** Null arrays are empty. */
  array(readElement: () => void): void {
    const count = this.#isFlexible ? this.#varint() - 1 : this.int32()
    if (count > this.#bytes.length - this.#at) throw this.corrupt(`it has ${count} elements`)
    for (let index = 0; index < count; index++) readElement()
  }

  tags(): ReadonlyMap<number, Buffer> {
    const tags = new Map<number, Buffer>()
    if (!this.#isFlexible) return tags
    const count = this.#varint()
    for (let index = 0; index < count; index++) {
      const tag = this.#varint()
      const size = this.#varint()
      const start = this.#take(size)
      tags.set(tag, this.#bytes.subarray(start, start + size))
    }
    const previous = tags.get(previousProducerIdTag)
    if (previous !== undefined && previous.length < 8) throw this.corrupt('a tag is too short')
    return tags
  }

  corrupt(reason: string): CorruptTransactionRecordError {
    return new CorruptTransactionRecordError(this.#what, reason)
  }

  get #isFlexible(): boolean {
    return this.#what === 'value' && this.version >= 1
  }

  #varint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#take(1)] as number
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw this.corrupt('a varint has more than 5 bytes')
  }

  #take(count: number): number {
    const start = this.#at
    if (count > this.#bytes.length - start) throw this.corrupt('it ends within a field')
    this.#at += count
    return start
  }
}

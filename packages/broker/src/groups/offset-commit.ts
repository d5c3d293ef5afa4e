import type { Offset, Timestamp } from '@varve/record'
import { SchemaReader } from './schema-reader.ts'
import { SchemaWriter } from './schema-writer.ts'

/**
 * What a commit of an offset is about.
 *
 *     key, versions 0 and 1:   int16 version | string group | string topic | int32 partition
 */
export interface OffsetCommitKey {
  readonly group: string
  readonly topic: string
  readonly partition: number
}

/**
 * What was committed: Kafka's OffsetCommitValue.
 *
 *     value:   int16 version | int64 offset | int32 leaderEpoch (3+) | string metadata
 *              | int64 commitTimestamp | int64 expireTimestamp (only 1) | tags (4+)
 */
export interface OffsetCommitValue {
  /** The next offset to read. */
  readonly offset: Offset
  /** Of the last record consumed; -1 where it is not known. */
  readonly leaderEpoch: number
  /** Whatever the consumer noted with it. */
  readonly metadata: string
  readonly commitTimestamp: Timestamp
  /** When it expires, by an old client's own wish; -1 = as the broker's retention says. */
  readonly expireTimestamp: Timestamp
}

/** What Kafka writes since 2.1, and the last version that every monitor reads. */
const keyVersion = 1
const valueVersion = 3

export const offsetCommitValueVersions = {
  subject: 'offset commit value',
  latest: 4,
  firstFlexible: 4,
} as const

const keyVersions = { subject: 'offset commit key', latest: 1, firstFlexible: Infinity } as const

export function encodeOffsetCommitKey(key: OffsetCommitKey, version: 0 | 1 = keyVersion): Buffer {
  return new SchemaWriter(version, keyVersions.firstFlexible)
    .string(key.group)
    .string(key.topic)
    .int32(key.partition)
    .finish()
}

/** Throws CorruptGroupRecordError. Of versions 0 and 1 only. */
export function decodeOffsetCommitKey(bytes: Buffer): OffsetCommitKey {
  const reader = new SchemaReader(bytes, keyVersions)
  const key = { group: reader.string(), topic: reader.string(), partition: reader.int32() }
  if (key.partition < 0) throw reader.corrupt(`the partition is ${key.partition}`)
  return key
}

/** Version 1, the only one with an expiry, where the value has one; else 3, as Kafka chooses. */
export function encodeOffsetCommitValue(
  value: OffsetCommitValue,
  version: number = value.expireTimestamp === -1 ? valueVersion : 1,
): Buffer {
  const writer = new SchemaWriter(version, offsetCommitValueVersions.firstFlexible)
  writer.int64(value.offset)
  if (version >= 3) writer.int32(value.leaderEpoch)
  writer.string(value.metadata).int64(value.commitTimestamp)
  if (version === 1) writer.int64(value.expireTimestamp)
  return writer.tags().finish()
}

/** Throws CorruptGroupRecordError. Of versions 0 to 4 only. */
export function decodeOffsetCommitValue(bytes: Buffer): OffsetCommitValue {
  const reader = new SchemaReader(bytes, offsetCommitValueVersions)
  const { version } = reader
  const offset = reader.int64()
  if (offset < 0) throw reader.corrupt(`the offset is ${offset}`)
  const leaderEpoch = version >= 3 ? reader.int32() : -1
  const metadata = reader.string()
  const commitTimestamp = reader.int64()
  const expireTimestamp = version === 1 ? reader.int64() : -1
  reader.tags()
  return { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp }
}

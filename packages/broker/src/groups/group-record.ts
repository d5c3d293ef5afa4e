import type { LogRecord } from '@varve/record'
import {
  consumerGroupValueVersions,
  decodeConsumerGroupRecord,
} from './consumer/consumer-group-encoding.ts'
import type { ConsumerGroupRecord } from './consumer/consumer-group-record.ts'
import { CorruptGroupRecordError } from './group-errors.ts'
import {
  decodeGroupMetadataKey,
  decodeGroupMetadataValue,
  type GroupMetadata,
  groupMetadataKeyVersion,
  groupMetadataValueVersions,
} from './group-metadata.ts'
import {
  decodeOffsetCommitKey,
  decodeOffsetCommitValue,
  type OffsetCommitKey,
  type OffsetCommitValue,
  offsetCommitValueVersions,
} from './offset-commit.ts'

/** A record of `__consumer_offsets`, decoded. A null value is a tombstone. */
export type GroupRecord =
  | {
      readonly kind: 'offsetCommit'
      readonly key: OffsetCommitKey
      readonly value: OffsetCommitValue | null
    }
  | { readonly kind: 'group'; readonly group: string; readonly value: GroupMetadata | null }
  | { readonly kind: 'consumerGroup'; readonly record: ConsumerGroupRecord }
  | { readonly kind: 'skipped'; readonly reason: string }

/**
 * Decodes a record of `__consumer_offsets`. What cannot be decoded is `skipped`, with the reason:
 * records of newer protocols (Kafka's own coordinator has some dozen kinds), versions that are not
 * known, damage within a batch whose checksum is right. It stays in the log as it is.
 */
export function readGroupRecord(record: Pick<LogRecord, 'key' | 'value'>): GroupRecord {
  const { key, value } = record
  if (key === null || key.length < 2) return { kind: 'skipped', reason: 'it has no versioned key' }
  const version = key.readInt16BE(0)
  try {
    if (version === 0 || version === 1) {
      const unknown = unknownVersion(value, offsetCommitValueVersions)
      if (unknown !== null) return unknown
      const decoded = value === null ? null : decodeOffsetCommitValue(value)
      return { kind: 'offsetCommit', key: decodeOffsetCommitKey(key), value: decoded }
    }
    if (version === groupMetadataKeyVersion) {
      const unknown = unknownVersion(value, groupMetadataValueVersions)
      if (unknown !== null) return unknown
      const decoded = value === null ? null : decodeGroupMetadataValue(value)
      return { kind: 'group', group: decodeGroupMetadataKey(key), value: decoded }
    }
    const unknown = unknownVersion(value, consumerGroupValueVersions)
    if (unknown !== null) return unknown
    const record = decodeConsumerGroupRecord(key, value)
    if (record !== null) return { kind: 'consumerGroup', record }
  } catch (error) {
    if (error instanceof CorruptGroupRecordError) return { kind: 'skipped', reason: error.message }
    throw error
  }
  return { kind: 'skipped', reason: `keys of version ${version} are not known` }
}

function unknownVersion(
  value: Buffer | null,
  versions: { readonly subject: string; readonly latest: number },
): GroupRecord | null {
  if (value === null || value.length < 2) return null
  const version = value.readInt16BE(0)
  if (version <= versions.latest) return null
  return { kind: 'skipped', reason: `${versions.subject} of version ${version} is not known` }
}

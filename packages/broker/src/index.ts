export {
  type Assignment,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type Subscription,
  type TopicPartition,
} from './groups/consumer-protocol.ts'
export { CorruptGroupRecordError } from './groups/group-errors.ts'
export {
  encodeGroupMetadataKey,
  encodeGroupMetadataValue,
  type GroupMetadata,
  type MemberMetadata,
} from './groups/group-metadata.ts'
export { partitionForGroup } from './groups/group-partition.ts'
export { type GroupRecord, readGroupRecord } from './groups/group-record.ts'
export {
  encodeOffsetCommitKey,
  encodeOffsetCommitValue,
  type OffsetCommitKey,
  type OffsetCommitValue,
} from './groups/offset-commit.ts'

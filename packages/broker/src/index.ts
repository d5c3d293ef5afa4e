export {
  ClosedError,
  CorruptCatalogueError,
  InvalidTopicError,
  ProducerFencedError,
  TopicExistsError,
  TopicNotFoundError,
} from './base/broker-errors.ts'
export type { Logger } from './base/logger.ts'
export {
  bytesSerde,
  type Deserializer,
  jsonSerde,
  type Serde,
  type Serializer,
  stringSerde,
} from './base/serializers.ts'
export {
  type CleanupPolicy,
  defaultTopicSettings,
  type ResolvedTopicSettings,
  type TopicSettings,
} from './base/topic-settings.ts'
export type { AssignmentSource, PartitionOwner } from './consuming/assignment-source.ts'
export type { CommittedOffset, CommittedOffsets } from './consuming/committed-offsets.ts'
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

export {
  ClosedError,
  CorruptCatalogueError,
  InvalidTopicError,
  ProducerFencedError,
  TopicExistsError,
  TopicNotFoundError,
} from './base/broker-errors.ts'
export { brokerChannels, type ReadEvent } from './base/diagnostics.ts'
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
export type {
  AssignableMember,
  Assignor,
  GroupAssignment,
  PartitionCounts,
} from './groups/assignor.ts'
export {
  type Assignment,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type Subscription,
} from './groups/consumer-protocol.ts'
export { cooperativeStickyAssignor } from './groups/cooperative-sticky-assignor.ts'
export { CorruptGroupRecordError } from './groups/group-errors.ts'
export {
  encodeGroupMetadataKey,
  encodeGroupMetadataValue,
  type GroupMetadata,
  type MemberMetadata,
} from './groups/group-metadata.ts'
export type { StoredOffset } from './groups/group-offsets.ts'
export { partitionForGroup } from './groups/group-partition.ts'
export { type GroupRecord, readGroupRecord } from './groups/group-record.ts'
export {
  encodeOffsetCommitKey,
  encodeOffsetCommitValue,
  type OffsetCommitKey,
  type OffsetCommitValue,
} from './groups/offset-commit.ts'
export { type CommitOptions, OffsetStore } from './groups/offset-store.ts'
export { rangeAssignor } from './groups/range-assignor.ts'
export { roundRobinAssignor } from './groups/round-robin-assignor.ts'
export type {
  MeasuredGroup,
  MeasuredLog,
  MeasuredQueue,
  MetricsSource,
} from './metrics/measured.ts'
export { Metrics, type MetricsOptions } from './metrics/metrics.ts'
export {
  defaultPartitioner,
  type Partitioner,
  partitionForKey,
} from './partitioning/partitioner.ts'
export type { PartitionDescription, TopicDescription } from './topics/topic.ts'
export { type TopicAlteration, Topics, type TopicsOptions } from './topics/topics.ts'

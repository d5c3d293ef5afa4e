/**
 * What a server needs of an open data directory, and the command of a cluster, beyond what programs
 * do: its parts. Not for programs, and not part of what `varve` exports; it changes whenever the
 * broker does.
 *
 * @module
 */

export { decodeCheckedJson, encodeCheckedJson } from './base/checked-json.ts'
export { silentLogger } from './base/logger.ts'
export { checkTopicName, isInternalTopic } from './base/topic-names.ts'
export { checkTopicSettings, defaultTopicSettings } from './base/topic-settings.ts'
export type { Cluster } from './cluster/cluster.ts'
export { describeClusterGroups } from './cluster/cluster-group-listing.ts'
export {
  type ListedClusterTopic,
  listClusterTopics,
  lookAtPartition,
  partitionSizes,
} from './cluster/cluster-inspection.ts'
export {
  type ClusterTopicLook,
  lookAtClusterTopics,
} from './cluster/cluster-partition-looks.ts'
export { readGivenSettings, servedConfigChanges } from './cluster/cluster-settings.ts'
export { whole } from './cluster/kafka-failures.ts'
export { clusterPartsOf, type OpenClusterParts } from './cluster-parts.ts'
export type { DirectoryParts } from './directory-parts.ts'
export { partsOf } from './directory-parts.ts'
export {
  type AssignedPartitions,
  listPartitions,
  type TargetPartitions,
} from './groups/consumer/assigned-partitions.ts'
export type {
  ConsumerGroupHeartbeat,
  ConsumerGroupSettings,
} from './groups/consumer/consumer-group-heartbeat.ts'
export type { ConsumerGroupMember } from './groups/consumer/consumer-group-member.ts'
export type { ConsumerGroupState } from './groups/consumer/consumer-group-state.ts'
export { assignorOf } from './groups/consumer/consumer-group-target.ts'
export {
  type GroupMigrationPolicy,
  groupMigrationPolicies,
} from './groups/consumer/group-migration-policy.ts'
export { serverAssignors } from './groups/consumer/server-assignor.ts'
export { decodeAssignment } from './groups/consumer-protocol.ts'
export type { GroupCoordinator } from './groups/group-coordinator.ts'
export { MemberIdRequiredError } from './groups/group-errors.ts'
export type { GroupOverview, GroupView } from './groups/group-view.ts'
export type { ProducerIds } from './producing/producer-ids.ts'
export type { Partition, Topic } from './topics/topic.ts'
export type { TopicChange, Topics } from './topics/topics.ts'
export {
  commitOffsetsInTransaction,
  type OffsetsInTransaction,
  placeOfOffsets,
} from './transactions/offsets-in-transaction.ts'
export type { TransactionCoordinator } from './transactions/transaction-coordinator.ts'
export {
  NotInTransactionError,
  TransactionPendingError,
} from './transactions/transaction-errors.ts'
export { type TransactionStatus, transactionStatuses } from './transactions/transaction-records.ts'
export type { TransactionDescription } from './transactions/transaction-state.ts'

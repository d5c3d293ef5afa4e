export { expiresAtHeader } from '@varve/cleaner'
export { readGroupOffset, settingsInHistory } from './backup/history-facts.ts'
export { completeImport, type ImportedFacts } from './backup/imported-directory.ts'
export { type RestoreHooksOptions, restoreHooks } from './backup/restore-hooks.ts'
export { healFrom } from './backup/self-healing.ts'
export { VarveReplaySink, type VarveReplaySinkOptions } from './backup/varve-replay-sink.ts'
export {
  CatalogueFullError,
  ClosedError,
  CorruptCatalogueError,
  InvalidTimestampError,
  InvalidTopicError,
  ProducerFencedError,
  TopicExistsError,
  TopicNotFoundError,
} from './base/broker-errors.ts'
export { brokerChannels, type ReadEvent } from './base/diagnostics.ts'
export type { Logger } from './base/logger.ts'
export { type RestoreHold, readRestoreHold, releaseRetention } from './base/restore-hold.ts'
export {
  bytesSerde,
  type Deserializer,
  jsonSerde,
  type Serde,
  type Serializer,
  stringSerde,
} from './base/serializers.ts'
export type { PartitionDescription, TopicDescription } from './base/topic-description.ts'
export { offsetsTopic } from './base/topic-names.ts'
export type { TopicPartition } from './base/topic-partition.ts'
export {
  type CleanupPolicy,
  defaultTopicSettings,
  type ResolvedTopicSettings,
  type TopicAlteration,
  type TopicSettings,
  topicSettingNames,
} from './base/topic-settings.ts'
export type { CleaningOptions } from './cleaning/topic-cleaner.ts'
export type { ClusterAddress } from './cluster/cluster-address.ts'
export {
  ClusterAuthenticationError,
  ClusterRefusedError,
  ClusterUnavailableError,
  ClusterUnsupportedError,
  KafkaClientMissingError,
} from './cluster/cluster-errors.ts'
export type { ClusterOptions, SaslOptions } from './cluster/cluster-options.ts'
export { ClusterVarve } from './cluster-varve.ts'
export type { AssignmentSource, PartitionOwner } from './consuming/assignment-source.ts'
export type {
  CommittedOffset,
  CommittedOffsets,
  OffsetsOwner,
} from './consuming/committed-offsets.ts'
export { Consumer } from './consuming/consumer.ts'
export { RecordsDeletedError } from './consuming/consumer-errors.ts'
export type { ConsumerOptions, StartingPoint } from './consuming/consumer-options.ts'
export { ConsumerRecord } from './consuming/consumer-record.ts'
export type { PartitionLag } from './consuming/held-partitions.ts'
export { DirectoryVarve, openDataDirectory } from './directory-varve.ts'
export type {
  AssignableMember,
  Assignor,
  GroupAssignment,
  PartitionCounts,
} from './groups/assigning/assignor.ts'
export { cooperativeStickyAssignor } from './groups/assigning/cooperative-sticky-assignor.ts'
export { rangeAssignor } from './groups/assigning/range-assignor.ts'
export { roundRobinAssignor } from './groups/assigning/round-robin-assignor.ts'
export {
  FencedMemberEpochError,
  GroupFullError,
  InvalidExpressionError,
  StaleMemberEpochError,
  UnreleasedInstanceError,
} from './groups/consumer/consumer-group-errors.ts'
export {
  type Assignment,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type Subscription,
} from './groups/consumer-protocol.ts'
export type {
  GroupAdministration,
  GroupDescription,
  GroupType,
  MemberDescription,
} from './groups/group-administration.ts'
export { GroupCoordinator } from './groups/group-coordinator.ts'
export type {
  GroupCoordinatorOptions,
  StoredGroupDescription,
} from './groups/group-coordinator-options.ts'
export {
  CorruptGroupRecordError,
  FencedInstanceError,
  GroupError,
  GroupMemoryFullError,
  GroupNotEmptyError,
  GroupNotFoundError,
  GroupNotUpgradableError,
  IllegalGenerationError,
  InconsistentGroupProtocolError,
  RebalanceInProgressError,
  UnknownMemberError,
} from './groups/group-errors.ts'
export { GroupListing, type ListedGroup } from './groups/group-listing.ts'
export { GroupMember } from './groups/group-member.ts'
export type { GroupMemberOptions } from './groups/group-member-options.ts'
export {
  encodeGroupMetadataKey,
  encodeGroupMetadataValue,
  type GroupMetadata,
  type MemberMetadata,
} from './groups/group-metadata.ts'
export type { StoredOffset } from './groups/group-offsets.ts'
export { partitionForGroup } from './groups/group-partition.ts'
export type {
  GroupState,
  JoinedMember,
  JoinRequest,
  JoinResult,
  LocalMember,
  MemberIdentity,
  MemberProtocol,
  SyncRequest,
} from './groups/group-protocol.ts'
export { type GroupRecord, readGroupRecord } from './groups/group-record.ts'
export { Groups, type GroupsOptions, offsetsPartitionCount } from './groups/groups.ts'
export {
  encodeOffsetCommitKey,
  encodeOffsetCommitValue,
  type OffsetCommitKey,
  type OffsetCommitValue,
} from './groups/offset-commit.ts'
export { type ResetTarget, type ResettableLog, resetOffset } from './groups/offset-reset.ts'
export { type CommitOptions, OffsetStore } from './groups/offset-store.ts'
export { NotRetriable } from './handling/attempts.ts'
export { CommitTracker } from './handling/commit-tracker.ts'
export {
  type DeadLetter,
  deadLetterHeaders,
  deadLetterTopicOf,
  type Failure,
  readDeadLetter,
  toDeadLetter,
} from './handling/dead-letter.ts'
export {
  type ReplayOptions,
  type ReplayReport,
  replayDeadLetters,
} from './handling/dead-letter-replay.ts'
export {
  type DeadLetterSink,
  type DeadLetterSinkOptions,
  deadLetterSink,
} from './handling/dead-letter-sink.ts'
export { DeadLetterTopics } from './handling/dead-letter-topics.ts'
export type { NamedLedgerOptions } from './handling/effect-ledgers.ts'
export type { RawRecord } from './handling/handled-record.ts'
export { HandlerRunningError, HandlingFailedError } from './handling/handling-errors.ts'
export { LogEffectLedger, type LogEffectLedgerOptions } from './handling/log-effect-ledger.ts'
export {
  type DurableEffectLedger,
  type EffectLedger,
  type OnceOnlyOptions,
  onceOnly,
} from './handling/once-only.ts'
export {
  type HandlingContext,
  type RecordFailure,
  RecordRunner,
  type RunnableRecord,
  type RunnerContext,
  type RunOptions,
} from './handling/record-runner.ts'
export {
  type ExponentialRetryOptions,
  exponentialRetry,
  fixedRetry,
  noRetry,
  type RetryLimits,
  type RetryPolicy,
  randomRetry,
} from './handling/retry-policy.ts'
export { BackupMetrics, type WatchOptions } from './metrics/backup-metrics.ts'
export type {
  MeasuredGroup,
  MeasuredLog,
  MeasuredQueue,
  MetricsSource,
} from './metrics/measured.ts'
export { Metrics, type MetricsOptions } from './metrics/metrics.ts'
export { openVarve, type VarveAt } from './open-varve.ts'
export {
  defaultPartitioner,
  type Partitioner,
  partitionForKey,
} from './partitioning/partitioner.ts'
export { Producer, type Sendable, type SendOptions } from './producing/producer.ts'
export type { ProducerOptions, SendingOptions } from './producing/producer-options.ts'
export type { ProducerRecord, SentBatch, SentRecord } from './producing/sent.ts'
export { sourceOffsetHeader } from './producing/source-offsets.ts'
export type { Delivery } from './queues/delivery.ts'
export { type DequeueOptions, Queue, type QueueContext, type QueueOptions } from './queues/queue.ts'
export { CorruptQueueStateError, DeliveryExpiredError } from './queues/queue-errors.ts'
export type { DeliveryFailure } from './queues/queue-partition-context.ts'
export { type QueueState, QueueStateLog } from './queues/queue-state-log.ts'
export type { ProcessContext, ProcessOptions } from './queues/queue-worker.ts'
export { type NamedQueueOptions, Queues, type QueuesOptions } from './queues/queues.ts'
export { ReadOnlyError } from './reading/read-only-error.ts'
export {
  type ReadingConsumerOptions,
  type ReadVarveOptions,
  readVarve,
  VarveReader,
} from './reading/varve-reader.ts'
export type { StoredPartitionDescription, StoredTopicDescription } from './topics/topic.ts'
export { type ListedTopic, listTopics } from './topics/topic-listing.ts'
export { Topics, type TopicsOptions } from './topics/topics.ts'
export { Transaction } from './transactions/transaction.ts'
export {
  CorruptTransactionRecordError,
  TransactionBlockedError,
  TransactionEndedError,
  TransactionFailedError,
  TransactionPendingError,
} from './transactions/transaction-errors.ts'
export {
  TransactionalProducer,
  type TransactionalProducerOptions,
} from './transactions/transactional-producer.ts'
export type {
  CreateTopicOptions,
  GroupConsumerOptions,
  ReplayTopicOptions,
  Varve,
  VarveLogOptions,
  VarveOptions,
} from './varve.ts'

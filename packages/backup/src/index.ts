/**
 * Backup of data directories: repositories that hold any number of points in time, snapshots to
 * fill them from, and what proves and brings back what is in them.
 *
 * @module
 */
export {
  BackupKeyError,
  BackupNotFoundError,
  CorruptRepositoryError,
  LeaseLostError,
  MissingObjectError,
  RepositoryBusyError,
  RepositoryExistsError,
  RepositoryNotFoundError,
  RepositoryRolledBackError,
  SnapshotUnstableError,
  TargetError,
} from './base/backup-errors.ts'
export { type DrillOptions, type DrillReport, drillRestore } from './drilling/restore-drill.ts'
export { type ExportOptions, type ExportReport, exportToSqlite } from './exporting/export-run.ts'
export { type ExportedHistory, openExport } from './exporting/exported-history.ts'
export {
  type ImportedTopic,
  type ImportOptions,
  type ImportReport,
  importToDirectory,
} from './exporting/import-run.ts'
export { SqliteMissingError } from './exporting/sqlite.ts'
export {
  type BackupFigures,
  type BackupGap,
  type BackupKind,
  backupIdTime,
  type Manifest,
  type StoredPartition,
} from './format/manifest.ts'
export type {
  PartitionList,
  StoredExtent,
  StoredFileContent,
  StoredSegment,
} from './format/partition-list.ts'
export {
  type HealOutcome,
  SegmentHealer,
  type SegmentHealerOptions,
} from './healing/segment-healer.ts'
export {
  type HealEvent,
  healChannel,
  SelfHealing,
  type SelfHealingOptions,
} from './healing/self-healing.ts'
export { decodeKeyFile, encodeKeyFile, type KeyFile } from './keys/key-file.ts'
export type { Unlocking } from './keys/key-ring.ts'
export type { Recipient } from './keys/recipient.ts'
export {
  addRecipient,
  type NewRecipient,
  type RecipientChange,
  removeRecipient,
} from './keys/recipients.ts'
export {
  describeRepository,
  type RepositoryStanding,
  type SourceStanding,
} from './measuring/repository-standing.ts'
export {
  type MirrorOptions,
  type MirrorReport,
  mirrorRepository,
} from './mirroring/mirror-repository.ts'
export { Standby, type StandbyOptions, type StandbyStatus } from './mirroring/standby.ts'
export {
  decideKeep,
  type KeepCandidate,
  type KeepDecision,
  type KeepPolicy,
} from './pruning/keep-policy.ts'
export {
  type PruneCandidate,
  type PruneOptions,
  type PruneReport,
  pruneBackups,
} from './pruning/prune.ts'
export { type SweepOptions, type SweepReport, sweep } from './pruning/sweep.ts'
export {
  type CommittedOptions,
  committedBatches,
  type OpenTransactions,
} from './reading/committed-records.ts'
export { decoderPool } from './reading/decoder-pool.ts'
export {
  type GroupOffset,
  type GroupOffsetReader,
  type GroupOffsetRecord,
  groupOffsets,
} from './reading/group-offsets.ts'
export { inlineDecoder, type ObjectDecoder } from './reading/object-decoder.ts'
export { ObjectReader } from './reading/object-reader.ts'
export {
  backupHistory,
  type HistoryPartition,
  type HistoryReadOptions,
  type RecordHistory,
  snapshotHistory,
} from './reading/record-history.ts'
export { type StoredLog, storedBatches } from './reading/stored-batches.ts'
export type { ClampedOffset, ReplayedPartition } from './replaying/group-mapping.ts'
export { mappedOffsets, type SourceOffset } from './replaying/mapped-offsets.ts'
export { ReplayRefusedError } from './replaying/replay-errors.ts'
export type { ReplayFilter } from './replaying/replay-filter.ts'
export {
  type ReplayedTopicPartition,
  type ReplayOptions,
  type ReplayReport,
  replayHistory,
} from './replaying/replay-run.ts'
export type {
  PreparedTopic,
  ReplayBatch,
  ReplayPosition,
  ReplaySink,
  ReplayTopic,
} from './replaying/replay-sink.ts'
export { type AuditEntry, AuditLog } from './repository/audit-log.ts'
export {
  BackupCatalogue,
  type BackupName,
  listBackups,
  type ReadManifest,
} from './repository/backup-catalogue.ts'
export type { DrillRecord } from './repository/drill-records.ts'
export { heldBackups, holdBackup, releaseBackup } from './repository/holds.ts'
export { type CreateRepositoryOptions, Repository } from './repository/repository.ts'
export {
  noteVerification,
  readVerifications,
  type Verification,
} from './repository/verifications.ts'
export type { RestoredPartition } from './restoring/partition-restore.ts'
export { RestoreRefusedError } from './restoring/restore-errors.ts'
export type { RestorePoint } from './restoring/restore-point.ts'
export {
  type RestoreHooks,
  type RestoreOptions,
  type RestoreReport,
  type RestoreScene,
  restoreBackup,
  retentionHoldFileName,
} from './restoring/restore-run.ts'
export { finishSwap, undoRestore } from './restoring/staged-swap.ts'
export {
  BackupFollower,
  type FollowOptions,
  type FollowStatus,
} from './scheduling/backup-follower.ts'
export {
  type BackupPlan,
  decodeBackupPlan,
  type PlanKind,
  type PlannedKeep,
  type PlannedRepository,
  type PlannedSchedule,
} from './scheduling/backup-plan.ts'
export {
  BackupSchedule,
  type ScheduleOptions,
  type ScheduleRule,
} from './scheduling/backup-schedule.ts'
export {
  type BackupEvent,
  BackupTrigger,
  type TriggerOptions,
} from './scheduling/backup-trigger.ts'
export { InvalidPlanError } from './scheduling/plan-errors.ts'
export { timeSpanMs, timeSpanRule } from './scheduling/time-span.ts'
export { DirectorySource, type DirectorySourceOptions } from './source/directory-source.ts'
export { LiveSource, type LiveSourceOptions } from './source/live-source.ts'
export type {
  BackupSource,
  PartitionSnapshot,
  SegmentSnapshot,
  SourceSnapshot,
} from './source/source-snapshot.ts'
export {
  type BackupFailureEvent,
  type BackupFollowedEvent,
  type BackupTakenEvent,
  backupChannels,
} from './taking/backup-events.ts'
export { type BackupOptions, type BackupReport, runBackup } from './taking/backup-run.ts'
export { inlineEncoder } from './taking/extent-encoder.ts'
export type { BackupProgress } from './taking/progress-meter.ts'
export { DirectoryTarget, type DirectoryTargetOptions } from './target/directory-target.ts'
export { type OpenTargetOptions, openTarget } from './target/open-target.ts'
export type { S3Credentials } from './target/s3-bucket.ts'
export { S3ClientMissingError } from './target/s3-sdk.ts'
export { S3Target, type S3TargetOptions } from './target/s3-target.ts'
export type { GetOptions, PutOptions, StoredFile, Target } from './target/target.ts'
export { acceptLoss } from './verify/missing-backups.ts'
export {
  type RepositoryFinding,
  type VerifyRepositoryOptions,
  type VerifyRepositoryReport,
  verifyRepository,
} from './verify/verify-repository.ts'

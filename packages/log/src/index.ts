/**
 * The log engine: an append-only, segmented, indexed log per partition, with Apache Kafka's bytes
 * on disk, group-committed and recovered after any crash.
 *
 * @example
 * ```ts
 * import { LogDirectory } from '@varve/log'
 *
 * await using directory = await LogDirectory.open('./data')
 * const log = await directory.createLog('orders', 0)
 * const { baseOffset } = await log.append({ key: 'o-17', value: 'paid' })
 * for await (const batch of log.reader({ from: baseOffset })) {
 *   for (const record of batch.records()) console.log(record.offset, String(record.value))
 * }
 * ```
 *
 * @module
 */
export type { AppendBatchOptions, AppendOptions } from './append/append-options.ts'
export type { AppendOrigin } from './append/append-queue.ts'
export type { AppendResult } from './append/append-result.ts'
export type { ProgressWatcher } from './append/log-state.ts'
export { type Clock, systemClock, type Timer, type TimerOptions } from './base/clock.ts'
export {
  type AppendEvent,
  type CorruptionEvent,
  type DeleteEvent,
  type FlushEvent,
  logChannels,
  type OfflineEvent,
  type RecoverEvent,
  type ReplaceEvent,
  type RollEvent,
  type RollReason,
  type WriteEvent,
} from './base/diagnostics.ts'
export {
  AppendQueueFullError,
  BatchTooLargeError,
  CorruptIndexError,
  CorruptLogError,
  type Damage,
  InvalidBatchError,
  LogClosedError,
  LogExistsError,
  LogLockedError,
  LogNotFoundError,
  LogOfflineError,
  LostWriteError,
  OffsetOutOfRangeError,
  SegmentPinnedError,
  UnfinishedRestoreError,
} from './base/log-errors.ts'
export {
  type Acks,
  defaultLogOptions,
  type LogOptions,
  type ResolvedLogOptions,
  resolveLogOptions,
} from './base/log-options.ts'
export {
  InvalidProducerEpochError,
  InvalidTransactionStateError,
  MissingSequenceError,
  OutOfOrderSequenceError,
  ProducerStateError,
  TransactionCoordinatorFencedError,
} from './base/producer-errors.ts'
export type { LogCut, RecoveryReport } from './base/recovery-report.ts'
export type { DeletionReason, SegmentInfo, SegmentPlace } from './base/segment-info.ts'
export { CorruptCheckpointError } from './format/checkpoint-text.ts'
export type { EpochEnd } from './format/leader-epoch-cache.ts'
export type { OffsetCheckpointFile, PartitionOffsets } from './format/offset-checkpoint.ts'
export { CorruptPartitionMetadataError } from './format/partition-metadata.ts'
export type { ProducerBatch, ProducerStateInfo } from './format/producer-entry.ts'
export { CorruptProducerSnapshotError } from './format/producer-snapshot.ts'
export { CorruptDigestError } from './format/segment-digest.ts'
export type { AbortedTransaction } from './format/transaction-index.ts'
export { Log } from './log.ts'
export { LogDirectory, type LogDirectoryOptions } from './log-directory.ts'
export type { LogSnapshot } from './log-snapshot.ts'
export type { ReadBytesOptions, StoredBytes } from './read/bytes-reader.ts'
export type { ReadOnlyLogOptions } from './read/followed-source.ts'
export {
  LogReader,
  type ReaderOptions,
  type ReadOptions,
  type ReadResult,
} from './read/log-reader.ts'
export { openLogReadOnly, ReadOnlyLog } from './read/read-only-log.ts'
export type { ReadRecordOptions } from './read/record-lookup.ts'
export type { StoredStretch } from './read/stored-stretch.ts'
export type { FoundOffset } from './read/timestamp-search.ts'
export { type ReindexOptions, type ReindexReport, reindexLog } from './repair/reindex-log.ts'
export {
  type RepairLogOptions,
  RepairPlanOutdatedError,
  type RepairReport,
  repairLog,
} from './repair/repair-log.ts'
export {
  type LostOffsets,
  planRepair,
  type RepairOptions,
  type RepairPlan,
  type RepairStep,
  type RepairStepKind,
} from './repair/repair-plan.ts'
export { type CleanedSegment, CleanedSegmentWriter } from './segments/cleaned-segment-writer.ts'
export type { Isolation } from './segments/read-source.ts'
export { type OpenLogOptions, openLog } from './single-log.ts'
export type {
  File,
  FileLock,
  FileStat,
  FileSystem,
  OpenMode,
} from './storage/file-system.ts'
export { nodeFileSystem } from './storage/node-file-system.ts'
export { StorageError } from './storage/storage-error.ts'
export type { Finding, FindingCode, Severity } from './verify/finding.ts'
export { type VerifyLogOptions, type VerifyProgress, verifyLog } from './verify/verify-log.ts'
export { isPartitionDirectory, listPartitionDirectories, verifyPath } from './verify/verify-path.ts'

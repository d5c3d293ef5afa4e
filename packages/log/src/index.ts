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
export type { AppendOrigin, AppendResult } from './append-queue.ts'
export { CorruptCheckpointError } from './checkpoint-text.ts'
export { type CleanedSegment, CleanedSegmentWriter } from './cleaned-segment-writer.ts'
export { type Clock, systemClock, type Timer, type TimerOptions } from './clock.ts'
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
} from './diagnostics.ts'
export type { File, FileLock, FileStat, FileSystem, OpenMode } from './file-system.ts'
export type { Finding, FindingCode, Severity } from './finding.ts'
export type { ReadOnlyLogOptions } from './followed-source.ts'
export { type AppendBatchOptions, type AppendOptions, Log } from './log.ts'
export { LogDirectory, type LogDirectoryOptions } from './log-directory.ts'
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
} from './log-errors.ts'
export {
  type Acks,
  defaultLogOptions,
  type LogOptions,
  type ResolvedLogOptions,
  resolveLogOptions,
} from './log-options.ts'
export { LogReader, type ReaderOptions, type ReadOptions, type ReadResult } from './log-reader.ts'
export type { LogSnapshot } from './log-snapshot.ts'
export { nodeFileSystem } from './node-file-system.ts'
export { CorruptPartitionMetadataError } from './partition-metadata.ts'
export {
  InvalidProducerEpochError,
  InvalidTransactionStateError,
  MissingSequenceError,
  OutOfOrderSequenceError,
  ProducerStateError,
  TransactionCoordinatorFencedError,
} from './producer-errors.ts'
export { CorruptProducerSnapshotError } from './producer-snapshot.ts'
export { openLogReadOnly, ReadOnlyLog } from './read-only-log.ts'
export type { Isolation } from './read-source.ts'
export type { LogCut, RecoveryReport } from './recovery-report.ts'
export { type ReindexOptions, type ReindexReport, reindexLog } from './reindex-log.ts'
export {
  type RepairLogOptions,
  RepairPlanOutdatedError,
  type RepairReport,
  repairLog,
} from './repair-log.ts'
export {
  type LostOffsets,
  planRepair,
  type RepairOptions,
  type RepairPlan,
  type RepairStep,
  type RepairStepKind,
} from './repair-plan.ts'
export { CorruptDigestError } from './segment-digest.ts'
export type { DeletionReason, SegmentInfo } from './segment-info.ts'
export { type OpenLogOptions, openLog } from './single-log.ts'
export { StorageError } from './storage-error.ts'
export type { FoundOffset } from './timestamp-search.ts'
export type { AbortedTransaction } from './transaction-index.ts'
export { type VerifyLogOptions, type VerifyProgress, verifyLog } from './verify-log.ts'
export { isPartitionDirectory, listPartitionDirectories, verifyPath } from './verify-path.ts'

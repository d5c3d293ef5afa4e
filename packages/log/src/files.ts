/**
 * The files of a data directory, one by one: their names, and readers for each kind. For tools that
 * look at files that nobody has opened as a log. Nothing here takes a lock, and little writes:
 * `replaceSmallFile` a file whole, or not at all; `makeDirectories` and `removeTree` what they say.
 *
 * @example
 * ```ts
 * import { nodeFileSystem } from '@varve/log'
 * import { listSegments, scanBatches } from '@varve/log/files'
 *
 * for (const { path } of listSegments(nodeFileSystem, './data/orders-0')) {
 *   const file = nodeFileSystem.open(path, 'read')
 *   const end = await scanBatches(file, (batch) => batch.lastOffset < 1000)
 *   console.log(path, end.stop, end.position)
 *   file.close()
 * }
 * ```
 *
 * @module
 */
export { CorruptCheckpointError } from './format/checkpoint-text.ts'
export type { DecodedIndex, IndexProblem } from './format/index-problem.ts'
export { LeaderEpochCache } from './format/leader-epoch-cache.ts'
export { provenLogStart } from './format/log-start.ts'
export {
  checkpointBytesMax,
  decodeOffsetCheckpoint,
  OffsetCheckpointFile,
  type PartitionOffsets,
} from './format/offset-checkpoint.ts'
export {
  decodeOffsetIndex,
  type OffsetIndex,
  type OffsetPosition,
  offsetIndexEntryBytes,
} from './format/offset-index.ts'
export {
  CorruptPartitionMetadataError,
  decodePartitionMetadata,
  encodePartitionMetadata,
  newTopicId,
} from './format/partition-metadata.ts'
export type { ProducerStateInfo } from './format/producer-entry.ts'
export { CorruptProducerSnapshotError, decodeProducerSnapshot } from './format/producer-snapshot.ts'
export { type NumberedProgress, ProgressFile, progressFileBytes } from './format/progress-file.ts'
export {
  isRestoreUnfinished,
  refuseUnfinishedRestore,
  replacedOf,
  restorePlaceOf,
  restoreRecordBytesMax,
  restoreRecordFileName,
  stagingOf,
} from './format/restore-record.ts'
export {
  CorruptDigestError,
  decodeSegmentDigest,
  type SegmentDigest,
  SpineDigest,
  segmentDigestBytesMax,
} from './format/segment-digest.ts'
export { type ListedSegment, listSegments } from './format/segment-listing.ts'
export {
  type BatchVisitor,
  type ScanEnd,
  type ScanOptions,
  scanBatches,
} from './format/segment-scan.ts'
export { decodeTimeIndex, type TimeIndex, timeIndexEntryBytes } from './format/time-index.ts'
export {
  decodeTransactionIndex,
  type TransactionIndex,
  transactionIndexEntryBytes,
} from './format/transaction-index.ts'
export { type DerivedFile, LogIndexing, type LogIndexingOptions } from './repair/log-indexing.ts'
export { makeDirectories, removeContent, removeTree } from './storage/directories.ts'
export {
  cleanerOffsetCheckpointFileName,
  cleanShutdownFileName,
  deletedDirectoryName,
  leaderEpochCheckpointFileName,
  logStartOffsetCheckpointFileName,
  metaPropertiesFileName,
  type PartitionDirectoryName,
  parsePartitionDirectoryName,
  parseSegmentFileName,
  partitionDirectoryName,
  partitionMetadataFileName,
  progressFileName,
  recoveryPointCheckpointFileName,
  replicationOffsetCheckpointFileName,
  type SegmentFileKind,
  type SegmentFileName,
  segmentFileName,
} from './storage/file-names.ts'
export { isSystemError, readSmallFile, replaceSmallFile } from './storage/file-system.ts'

/**
 * The files of a data directory, one by one: their names, and readers for each kind. For tools that
 * look at files that nobody has opened as a log. Nothing here takes a lock or writes.
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
export { CorruptCheckpointError } from './checkpoint-text.ts'
export {
  cleanerOffsetCheckpointFileName,
  cleanShutdownFileName,
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
} from './file-names.ts'
export { isSystemError, readSmallFile } from './file-system.ts'
export type { DecodedIndex, IndexProblem } from './index-problem.ts'
export { LeaderEpochCache } from './leader-epoch-cache.ts'
export { checkpointBytesMax, decodeOffsetCheckpoint } from './offset-checkpoint.ts'
export {
  decodeOffsetIndex,
  type OffsetIndex,
  type OffsetPosition,
  offsetIndexEntryBytes,
} from './offset-index.ts'
export { CorruptPartitionMetadataError, decodePartitionMetadata } from './partition-metadata.ts'
export type { ProducerStateInfo } from './producer-entry.ts'
export { CorruptProducerSnapshotError, decodeProducerSnapshot } from './producer-snapshot.ts'
export { type NumberedProgress, ProgressFile, progressFileBytes } from './progress-file.ts'
export {
  CorruptDigestError,
  decodeSegmentDigest,
  type SegmentDigest,
  segmentDigestBytesMax,
} from './segment-digest.ts'
export { type ListedSegment, listSegments } from './segment-listing.ts'
export { type ScanEnd, type ScanOptions, scanBatches } from './segment-scan.ts'
export { decodeTimeIndex, type TimeIndex, timeIndexEntryBytes } from './time-index.ts'
export {
  decodeTransactionIndex,
  type TransactionIndex,
  transactionIndexEntryBytes,
} from './transaction-index.ts'

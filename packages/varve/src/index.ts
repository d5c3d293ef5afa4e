/**
 * Varve: an append-only, segmented, crash-safe log for Node.js, with Apache Kafka's bytes on disk.
 * A program opens a directory and has durable, ordered, replayable logs; there is no server to run.
 *
 * @example
 * ```ts
 * import { LogDirectory } from 'varve'
 *
 * await using directory = await LogDirectory.open('./data')
 * const log = directory.logs.get('orders-0') ?? (await directory.createLog('orders', 0))
 *
 * // Resolves when the record is on disk: it survives a power cut.
 * const { baseOffset } = await log.append({ key: 'o-17', value: 'paid' })
 *
 * for await (const record of log.reader({ from: baseOffset }).records()) {
 *   console.log(record.offset, String(record.key), String(record.value))
 * }
 * ```
 *
 * @module
 */
export {
  type AbortedTransaction,
  type Acks,
  type AppendBatchOptions,
  type AppendEvent,
  type AppendOptions,
  type AppendOrigin,
  AppendQueueFullError,
  type AppendResult,
  BatchTooLargeError,
  type CleanedSegment,
  CleanedSegmentWriter,
  type Clock,
  CorruptIndexError,
  type CorruptionEvent,
  CorruptLogError,
  type Damage,
  type DeleteEvent,
  type DeletionReason,
  defaultLogOptions,
  type File,
  type FileLock,
  type FileStat,
  type FileSystem,
  type Finding,
  type FindingCode,
  type FlushEvent,
  type FoundOffset,
  InvalidBatchError,
  type Isolation,
  Log,
  LogClosedError,
  type LogCut,
  LogDirectory,
  type LogDirectoryOptions,
  LogExistsError,
  LogLockedError,
  LogNotFoundError,
  LogOfflineError,
  type LogOptions,
  LogReader,
  type LogSnapshot,
  LostWriteError,
  logChannels,
  nodeFileSystem,
  type OfflineEvent,
  OffsetOutOfRangeError,
  type OpenLogOptions,
  type OpenMode,
  openLog,
  openLogReadOnly,
  type ReaderOptions,
  ReadOnlyLog,
  type ReadOnlyLogOptions,
  type ReadOptions,
  type ReadResult,
  type RecoverEvent,
  type RecoveryReport,
  type ReplaceEvent,
  type ResolvedLogOptions,
  type RollEvent,
  type RollReason,
  resolveLogOptions,
  type SegmentInfo,
  SegmentPinnedError,
  type Severity,
  StorageError,
  systemClock,
  type Timer,
  type TimerOptions,
  type VerifyLogOptions,
  type VerifyProgress,
  verifyLog,
  verifyPath,
  type WriteEvent,
} from '@varve/log'
export {
  type Batch,
  type BatchOptions,
  type CompressionType,
  type ControlType,
  CorruptBatchError,
  controlTypeOf,
  DecompressionLimitError,
  type EndTransactionMarker,
  type EndTransactionMarkerOptions,
  endTransactionMarkerBatch,
  type FilePosition,
  InvalidArgumentError,
  LogRecord,
  NativeModuleError,
  type Offset,
  RecordBatch,
  RecordBatchBuilder,
  type RecordBatchBuilderOptions,
  type RecordHeader,
  type RecordHeaderInput,
  type RecordInput,
  readBatches,
  readEndTransactionMarker,
  type Timestamp,
  type TimestampType,
  UnsupportedFormatError,
  VarveError,
} from '@varve/record'

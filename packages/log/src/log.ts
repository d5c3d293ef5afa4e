import {
  InvalidArgumentError,
  type LogRecord,
  type Offset,
  type RecordBatch,
  type RecordInput,
  type Timestamp,
} from '@varve/record'
import type { AppendBatchOptions, AppendOptions } from './append/append-options.ts'
import type { AppendResult } from './append/append-result.ts'
import { validateAppend } from './append/append-validation.ts'
import { type LoadedLog, LogState, type ProgressWatcher } from './append/log-state.ts'
import { LogWriter } from './append/log-writer.ts'
import { deleteSegmentsBefore } from './append/segment-deletion.ts'
import { replaceSegments } from './append/segment-replacement.ts'
import { LogClosedError } from './base/log-errors.ts'
import {
  invalidAcks,
  isAcks,
  type LogOptions,
  type ResolvedLogOptions,
  resolveLogOptions,
} from './base/log-options.ts'
import type { RecoveryReport } from './base/recovery-report.ts'
import type { DeletionReason, SegmentInfo } from './base/segment-info.ts'
import { turnWhenDue } from './base/turns.ts'
import type { EpochEnd } from './format/leader-epoch-cache.ts'
import { type ProducerStateInfo, producerInfo } from './format/producer-entry.ts'
import type { AbortedTransaction } from './format/transaction-index.ts'
import { LogSnapshot } from './log-snapshot.ts'
import type { ReadBytesOptions, StoredBytes } from './read/bytes-reader.ts'
import {
  LogReader,
  type ReaderOptions,
  type ReadOptions,
  type ReadResult,
  readNow,
  readOnce,
} from './read/log-reader.ts'
import { findRecord, findRecordNow, type ReadRecordOptions } from './read/record-lookup.ts'
import {
  type FoundOffset,
  findLatestRecord,
  findOffsetByTimestamp,
} from './read/timestamp-search.ts'
import { closeLogFiles } from './recovery/log-closing.ts'
import type { CleanedSegment } from './segments/cleaned-segment-writer.ts'
import { inOurWords, withOurErrors } from './storage/storage-error.ts'

/**
 * The log of one partition: appended to at its end, read anywhere, in segments that never change
 * once they are sealed. There is one `Log` for a directory at a time, and it is made by
 * `LogDirectory` or `openLog`, recovered; there are no half-open ones.
 *
 * Appends of any number of callers share writes and flushes; see LogWriter for what is promised.
 * Reading never waits for appending.
 */
export class Log implements AsyncDisposable {
  readonly #state: LogState
  #madeWriter: LogWriter | null = null
  readonly #onClosed: () => Promise<void>
  #closing: Promise<void> | null = null
  #hasFailedToClose = false
  /** What opening found and did. */
  readonly recoveryReport: RecoveryReport

  /** @internal Logs are opened by `openLog` and `LogDirectory`. */
  constructor(loaded: LoadedLog, report: RecoveryReport, onClosed: () => Promise<void>) {
    this.#state = new LogState(loaded)
    // Recovery may have cut what was visible before: who follows the log must not wait to learn it.
    if (!loaded.isRestored) this.#state.saveProgress()
    this.#onClosed = onClosed
    this.recoveryReport = report
  }

  /** Made when something is asked of it: a log that nobody changes needs none. */
  get #writer(): LogWriter {
    if (this.#madeWriter === null) {
      if (this.#closing !== null) throw new LogClosedError(this.name)
      this.#madeWriter = new LogWriter(this.#state)
    }
    return this.#madeWriter
  }

  /** Name of the log's directory: `<topic>-<partition>`. */
  get name(): string {
    return this.#state.name
  }

  get directory(): string {
    return this.#state.directory
  }

  get options(): ResolvedLogOptions {
    return this.#state.options
  }

  /** The first offset that can be read. */
  get logStartOffset(): Offset {
    return this.#state.offsets.logStartOffset
  }

  /** The offset that the next record gets. */
  get logEndOffset(): Offset {
    return this.#state.offsets.logEndOffset
  }

  /** Records below it are visible: they have reached the level that their producers asked for. */
  get highWatermark(): Offset {
    return this.#state.offsets.highWatermark
  }

  /** Records below it are durable. */
  get flushedOffset(): Offset {
    return this.#state.offsets.flushedOffset
  }

  /** Everything below is durable with all that is derived from it: where recovery would begin. */
  get recoveryPoint(): Offset {
    return this.#state.recoveryPoint
  }

  /** What is stamped into batches that are appended: how often the log has changed its leader. */
  get leaderEpoch(): number {
    return this.#state.leaderEpoch
  }

  /** Whether storage failed: nothing succeeds before the log is opened again. */
  get isFailed(): boolean {
    return (this.#madeWriter?.failure ?? null) !== null || this.#hasFailedToClose
  }

  /** Below it every transaction is decided: where readers of committed records stop. */
  get lastStableOffset(): Offset {
    return this.#state.lastStableOffset
  }

  /**
   * Appends records as one batch, all or nothing, and resolves when they have reached `acks`. The
   * records' memory can be used again when the call returns, unless the append has to wait for
   * room in the queue.
   *
   * Rejects with InvalidArgumentError, BatchTooLargeError, AppendQueueFullError, LogClosedError,
   * and with LogOfflineError when storage failed: then it is not known whether the records survive.
   */
  append(
    records: RecordInput | readonly RecordInput[],
    options: AppendOptions = {},
  ): Promise<AppendResult> {
    const { acks = this.options.acks, compressionType = this.options.compressionType } = options
    if (!isAcks(acks)) return Promise.reject(invalidAcks(acks))
    if (Array.isArray(records) && records.length === 0) {
      return Promise.reject(
        new InvalidArgumentError('records', 'empty', 'there is nothing to append'),
      )
    }
    try {
      return this.#writer.queue().addRecords(records, acks, compressionType)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Appends a batch as a producer made it: checked (but for the checksum of one that a
   * RecordBatchBuilder of this process has made), its offsets and leader epoch stamped in place,
   * its bytes otherwise untouched. A large batch is not copied: its memory belongs to the log until
   * the append is settled.
   *
   * A batch with a producer id is idempotent: sent again, it is acknowledged with the offsets it
   * has, and not appended twice. Rejects like `append`, and with InvalidBatchError,
   * CorruptBatchError, OutOfOrderSequenceError, InvalidProducerEpochError and their kin.
   */
  appendBatch(batch: RecordBatch, options: AppendBatchOptions = {}): Promise<AppendResult> {
    const { acks = this.options.acks, origin = 'client' } = options
    if (!isAcks(acks)) return Promise.reject(invalidAcks(acks))
    try {
      validateAppend(batch, origin, this.options)
      return this.#writer.queue().addBatch(batch, acks, origin)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Gives the log other settings, while it is open: those named here, on top of what it has. They
   * hold for what is appended from now on; the active segment is sealed by them too. What opening
   * alone uses (`leaderEpoch`, `onLostWrites`) and the size of open indexes stay as they are until
   * the log is opened again. Rejects with InvalidArgumentError, and then nothing has changed.
   */
  async alter(options: LogOptions): Promise<void> {
    const { leaderEpoch, ...current } = this.options
    const merged = leaderEpoch === null ? current : { ...current, leaderEpoch }
    await this.#writer.alter(resolveLogOptions({ ...merged, ...options }))
  }

  /** Makes everything appended so far durable. */
  async flush(): Promise<void> {
    await this.#writer.flush()
  }

  /**
   * As `flush`, and waits until every sealed segment is complete: its indexes and digest are on
   * disk too. Whoever reads the files themselves does this first.
   */
  async settle(): Promise<void> {
    await this.#writer.command(async () => {
      await this.#writer.flushNow()
      await this.#writer.sealed()
    })
  }

  /** Seals the active segment and starts the next, unless it is empty. */
  async roll(): Promise<void> {
    await this.#writer.roll()
  }

  /**
   * Reads once: batches from an offset on, about `maxBytes` of them. At the end of the log the
   * result is empty. Rejects with OffsetOutOfRangeError and CorruptLogError.
   */
  read(options: ReadOptions): Promise<ReadResult> {
    const state = this.#state
    return this.#atOnceOrLater(
      () => readNow(state, state.points, options),
      () => readOnce(state, options),
    )
  }

  /**
   * The record at an offset, with memory of its own; null where there is none to be read: it was
   * compacted away, is not visible yet, is a marker of a transaction, or, with
   * `isolation: 'committed'`, of an aborted one. The batches that were looked at last stay in
   * memory (`readCacheBytes`), so that one that is read again and again costs next to nothing.
   * Rejects as `read` does.
   */
  readRecord(offset: Offset, options: ReadRecordOptions = {}): Promise<LogRecord | null> {
    const state = this.#state
    return this.#atOnceOrLater(
      () => findRecordNow(state, state.points, offset, options),
      () => findRecord(state, offset, options),
    )
  }

  /**
   * Reads batches as they are stored, to be passed on: not decoded, their checksums not looked at.
   * At once where that is faster than waiting for it. At the end of the log there are none. Throws
   * OffsetOutOfRangeError and CorruptLogError, or rejects with them.
   */
  readBytes(options: ReadBytesOptions): StoredBytes | Promise<StoredBytes> {
    const doing = `reading log ${this.name}`
    try {
      this.#assertOpen()
      const found = this.#state.bytes.read(options)
      return found instanceof Promise ? withOurErrors(doing, () => found) : found
    } catch (error) {
      throw inOurWords(doing, error)
    }
  }

  /** Calls back when there is more to be read, as ProgressWatcher says; returns what ends that. */
  watch(watcher: ProgressWatcher): () => void {
    this.#assertOpen()
    return this.#state.watch(watcher)
  }

  /** Keeps the newest bytes in memory, for those who read the tail; returns what ends that. */
  keepTail(): () => void {
    const { tail } = this.#state
    tail.follow()
    return () => tail.unfollow()
  }

  /** The leader epoch in which the record at an offset was appended; null where none is known. */
  leaderEpochAt(offset: Offset): number | null {
    return this.#state.epochs.epochAt(offset)
  }

  /**
   * Where the records of a leader epoch end; for one that has none, where those of the last one
   * before it do. Null for an epoch that is yet to come.
   */
  endOfLeaderEpoch(epoch: number): EpochEnd | null {
    const { epochs, leaderEpoch, logEndOffset } = this.#state
    return epochs.endOffsetUnder(leaderEpoch, epoch, logEndOffset)
  }

  /** Reads on and on: to the end of the log, or with `follow` past it. */
  reader(options: ReaderOptions): LogReader {
    this.#assertOpen()
    return new LogReader(this.#state, options)
  }

  /** The first record whose timestamp is at least this one; null when there is none. */
  async offsetForTimestamp(timestamp: Timestamp): Promise<FoundOffset | null> {
    this.#assertOpen()
    const find = () => findOffsetByTimestamp(this.#state, timestamp)
    return withOurErrors(`searching log ${this.name}`, find)
  }

  /** The record with the largest timestamp; null when there is none. */
  async latestRecord(): Promise<FoundOffset | null> {
    this.#assertOpen()
    const find = () => findLatestRecord(this.#state, this.segments())
    return withOurErrors(`searching log ${this.name}`, find)
  }

  /**
   * The segments as far as they are visible, the active one last. One that has just been sealed may
   * hold records that are not acknowledged yet; `replaceSegments` refuses it as it is described
   * then, because whoever read it did not see them.
   *
   * From index `from` to before `to`. The first description of a segment after opening reads a
   * small file, so whoever needs only the oldest of thousands should not ask for all.
   */
  segments(from = 0, to: number = Number.POSITIVE_INFINITY): readonly SegmentInfo[] {
    return this.#state.visibleInfos(from, to)
  }

  /** How many segments there are, the active one included. */
  get segmentCount(): number {
    return this.#state.segments.sealed.length + 1
  }

  /** Size of the segments as far as they are visible: the sum of what `segments` says. */
  get sizeBytes(): number {
    return this.#state.visibleSizeBytes
  }

  /**
   * What the log knows of the producers that number their batches, as of now: their newest batch
   * must survive compaction for their next one to be recognised.
   */
  producers(): readonly ProducerStateInfo[] {
    return Array.from(this.#state.producers.entries(), producerInfo)
  }

  /** What the log knows of one of them, as of now; null for one that it does not know. */
  producer(producerId: number): ProducerStateInfo | null {
    const entry = this.#state.producers.producer(producerId)
    return entry === null ? null : producerInfo(entry)
  }

  /**
   * The aborted transactions that have records below `to`, and their markers at `from` or later.
   * Reads transaction indexes; throws CorruptIndexError.
   */
  abortedTransactions(from: Offset, to: Offset): readonly AbortedTransaction[] {
    this.#assertOpen()
    return this.#state.abortedTransactions(from, to)
  }

  /**
   * Pins the log as it is now: until the snapshot is released its segments' files stay, whatever
   * retention and compaction do meanwhile.
   */
  snapshot(): LogSnapshot {
    this.#assertOpen()
    return new LogSnapshot(this.#state)
  }

  /**
   * Raises the log start offset, durably, and deletes the segments that lie wholly before it. One
   * of the two ways in which records leave a log. Rejects with OffsetOutOfRangeError beyond the
   * high watermark.
   */
  async deleteSegmentsBefore(
    offset: Offset,
    reason: DeletionReason = 'request',
  ): Promise<readonly SegmentInfo[]> {
    return this.#writer.command(() =>
      deleteSegmentsBefore(this.#state, this.#writer, offset, reason),
    )
  }

  /**
   * Puts cleaned segments in the place of sealed ones. The other way in which records leave a log.
   * Rejects with InvalidArgumentError when the replaced ones are not neighbours in this log or the
   * cleaned ones do not cover the same offsets, with SegmentPinnedError while a snapshot has one.
   */
  async replaceSegments(
    cleaned: readonly CleanedSegment[],
    replaced: readonly SegmentInfo[],
  ): Promise<void> {
    return this.#writer.command(() => replaceSegments(this.#state, this.#writer, cleaned, replaced))
  }

  /**
   * Writes and flushes what was appended, leaves everything as a clean restart wants it, and ends
   * followers. Rejects when that failed; the log is closed all the same. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    const state = this.#state
    try {
      await this.#madeWriter?.close()
      if (!this.isFailed) await closeLogFiles(state)
    } catch (error) {
      this.#hasFailedToClose = true
      throw inOurWords(`closing log ${this.name}`, error)
    } finally {
      state.closed()
      await this.#onClosed()
    }
  }

  /** Reads with one promise, mostly, and so that timers have their turn beside a loop of reads. */
  #atOnceOrLater<Result>(
    now: () => Result | undefined,
    later: () => Promise<Result>,
  ): Promise<Result> {
    try {
      this.#assertOpen()
      const result = now()
      if (result !== undefined) {
        const turn = turnWhenDue(this.#state.clock)
        return turn === null ? Promise.resolve(result) : turn.then(() => result)
      }
    } catch (error) {
      return Promise.reject(inOurWords(`reading log ${this.name}`, error))
    }
    return withOurErrors(`reading log ${this.name}`, later)
  }

  #assertOpen(): void {
    if (this.#state.isClosed || this.#closing !== null) throw new LogClosedError(this.name)
  }
}

import { strict as assert } from 'node:assert'
import type { FilePosition, Offset, Timestamp } from '@varve/record'
import type { Clock } from '../base/clock.ts'
import { logChannels } from '../base/diagnostics.ts'
import type { LogCheckpoints } from '../base/log-checkpoints.ts'
import type { LogContext } from '../base/log-context.ts'
import { LogClosedError, type LogOfflineError } from '../base/log-errors.ts'
import type { LogOffsets } from '../base/log-offsets.ts'
import type { ResolvedLogOptions } from '../base/log-options.ts'
import type { SegmentInfo } from '../base/segment-info.ts'
import type { LeaderEpochCache } from '../format/leader-epoch-cache.ts'
import { ProgressFile } from '../format/progress-file.ts'
import type { AbortedTransaction } from '../format/transaction-index.ts'
import type { ProducerStateManager } from '../producers/producer-state.ts'
import { BytesReader } from '../read/bytes-reader.ts'
import { PointReader } from '../read/point-reader.ts'
import { FileRemovals } from '../segments/file-removals.ts'
import type { LogSegments } from '../segments/log-segments.ts'
import type { ReadableSegment, ReadSource } from '../segments/read-source.ts'
import { SegmentPins } from '../segments/segment-pins.ts'
import { TailCache } from '../segments/tail-cache.ts'
import { leaderEpochCheckpointFileName, progressFileName } from '../storage/file-names.ts'
import { type File, type FileSystem, replaceSmallFile } from '../storage/file-system.ts'
import type { OpenFiles } from '../storage/open-files.ts'

/** What a log is built from, once recovery has found or made it. */
export interface LoadedLog extends LogContext {
  readonly segments: LogSegments
  readonly offsets: LogOffsets
  readonly producers: ProducerStateManager
  readonly epochs: LeaderEpochCache
  readonly leaderEpoch: number
  readonly recoveryPoint: Offset
  /** Whether the log is as a clean shutdown left it, so that closing it again has nothing to do. */
  readonly isRestored: boolean
}

/** Up to where readers may read: everything before this place is visible. */
export interface VisibleEnd {
  /** Base offset of the segment in which the last visible batch lies. */
  readonly segment: Offset
  readonly position: FilePosition
}

/**
 * Told when the high watermark has risen, of how many more bytes can be read, about; and, with 0,
 * when nothing more will come.
 */
export type ProgressWatcher = (moreBytes: number) => void

/** The parts of an open log that its writer changes and its readers look at. */
export class LogState implements ReadSource {
  readonly name: string
  readonly directory: string
  readonly fs: FileSystem
  readonly files: OpenFiles
  readonly clock: Clock
  readonly random: () => number
  readonly checkpoints: LogCheckpoints
  readonly segments: LogSegments
  readonly offsets: LogOffsets
  readonly producers: ProducerStateManager
  readonly epochs: LeaderEpochCache
  readonly leaderEpoch: number
  readonly tail: TailCache
  /** Made when they are needed, as is the set of those who wait: most logs are idle. */
  #pins: SegmentPins | null = null
  #removals: FileRemovals | null = null
  #points: PointReader | null = null
  #bytes: BytesReader | null = null
  readonly #isRestored: boolean
  #options: ResolvedLogOptions
  #visibleEnd: VisibleEnd
  #recoveryPoint: Offset
  #progress: ProgressFile | null = null
  /** Where it was last written, to be borrowed again. */
  #progressFile: File | null = null
  #isProgressDurable = false
  #isProgressNamed = false
  #waiting: Set<() => void> | null = null
  #watchers: Set<ProgressWatcher> | null = null
  #failure: LogOfflineError | null = null
  #isClosed = false

  constructor(loaded: LoadedLog) {
    this.#isRestored = loaded.isRestored
    this.name = loaded.name
    this.directory = loaded.directory
    this.fs = loaded.fs
    this.files = loaded.files
    this.tail = new TailCache(loaded.files.tails)
    this.clock = loaded.clock
    this.random = loaded.random
    this.#options = loaded.options
    this.checkpoints = loaded.checkpoints
    this.segments = loaded.segments
    this.offsets = loaded.offsets
    this.producers = loaded.producers
    this.epochs = loaded.epochs
    this.leaderEpoch = loaded.leaderEpoch
    this.#recoveryPoint = loaded.recoveryPoint
    const { active } = loaded.segments
    this.#visibleEnd = { segment: active.baseOffset, position: active.sizeBytes }
  }

  get options(): ResolvedLogOptions {
    return this.#options
  }

  /** Segments that snapshots hold. */
  get pins(): SegmentPins {
    this.#pins ??= new SegmentPins()
    return this.#pins
  }

  /** Files that have left the log. */
  get removals(): FileRemovals {
    this.#removals ??= new FileRemovals(this)
    return this.#removals
  }

  /** Reads at single offsets. */
  get points(): PointReader {
    this.#points ??= new PointReader(this, true)
    return this.#points
  }

  /** Reads of bytes as they are stored. */
  get bytes(): BytesReader {
    this.#bytes ??= new BytesReader(this)
    return this.#bytes
  }

  /** Other settings from now on, for the active segment too. */
  alter(options: ResolvedLogOptions): void {
    this.#options = options
    this.segments.active.alter(options)
  }

  get visibleEnd(): VisibleEnd {
    return this.#visibleEnd
  }

  /** Everything below is durable, and so are the indexes of the segments wholly below. */
  get recoveryPoint(): Offset {
    return this.#recoveryPoint
  }

  get failure(): LogOfflineError | null {
    return this.#failure
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Whether nothing has happened since a clean shutdown. */
  get isUnchanged(): boolean {
    return this.#isRestored && this.#progress === null
  }

  /** Raises the recovery point; it never falls while the log is open. */
  raiseRecoveryPoint(offset: Offset): void {
    assert(offset <= this.offsets.flushedOffset, 'the recovery point is flushed')
    if (offset > this.#recoveryPoint) this.#recoveryPoint = offset
  }

  /** Raises the high watermark and wakes whoever waits for records. */
  makeVisible(offset: Offset, end: VisibleEnd): void {
    this.offsets.visible(offset)
    const { segment, position } = this.#visibleEnd
    this.#visibleEnd = end
    this.wake()
    if (this.#watchers === null) return
    // What else the old segment has got is not looked up: it only wakes somebody a little later.
    const moreBytes = end.segment === segment ? end.position - position : end.position
    for (const watcher of this.#watchers) watcher(Math.max(moreBytes, 1))
  }

  /** Calls back, within the step, whenever there is more to be read; returns what ends that. */
  watch(watcher: ProgressWatcher): () => void {
    this.#watchers ??= new Set()
    const watchers = this.#watchers
    watchers.add(watcher)
    return () => void watchers.delete(watcher)
  }

  #nothingMore(): void {
    this.wake()
    for (const watcher of this.#watchers ?? []) watcher(0)
  }

  /**
   * Sealed segments, wholly visible, were replaced. When the last visible batch lay in one of them
   * its position means nothing any more: the end is where the next segment begins.
   */
  replaced(baseOffsets: readonly Offset[], nextOffset: Offset): void {
    if (!baseOffsets.includes(this.#visibleEnd.segment)) return
    this.#visibleEnd = { segment: nextOffset, position: 0 }
  }

  get logStartOffset(): Offset {
    return this.offsets.logStartOffset
  }

  get highWatermark(): Offset {
    return this.offsets.highWatermark
  }

  get logEndOffset(): Offset {
    return this.offsets.logEndOffset
  }

  get lastStableOffset(): Offset {
    return this.producers.lastStableOffset(this.offsets.highWatermark, this.offsets.logStartOffset)
  }

  segmentFor(offset: Offset): ReadableSegment {
    return this.segments.floor(offset) ?? this.segments.first
  }

  segmentAfter(baseOffset: Offset): ReadableSegment | null {
    return this.segments.higher(baseOffset)
  }

  segmentReaching(timestamp: Timestamp): Promise<ReadableSegment | null> {
    return this.segments.reaching(timestamp)
  }

  abortedTransactions(from: Offset, upperBound: Offset): readonly AbortedTransaction[] {
    const found: AbortedTransaction[] = []
    let segment: ReadableSegment | null = this.segmentFor(from)
    while (segment !== null) {
      const { aborted, isComplete } = segment.transactionIndex.collect(from, upperBound)
      // There may be more than a call can have arguments.
      for (const transaction of aborted) found.push(transaction)
      if (isComplete) break
      segment = this.segmentAfter(segment.baseOffset)
    }
    return found
  }

  prepare(): null {
    if (this.#isClosed) throw new LogClosedError(this.name)
    return null
  }

  /** Nobody else changes a log that is open here. */
  isSame(): boolean {
    return true
  }

  async reload(): Promise<boolean> {
    return false
  }

  /** The segments as readers see them: their visible bytes, up to the high watermark. */
  visibleInfos(from: number, to: number): readonly SegmentInfo[] {
    const { highWatermark } = this.offsets
    const { sealed, active } = this.segments
    return [...sealed, active].slice(from, to).map((segment) => {
      const info = segment.info()
      const nextOffset = Math.max(Math.min(info.nextOffset, highWatermark), info.baseOffset)
      return { ...info, nextOffset, sizeBytes: this.visibleBytes(segment) }
    })
  }

  get visibleSizeBytes(): number {
    const { sealed, active } = this.segments
    return sealed.reduce(
      (sum, segment) => sum + this.visibleBytes(segment),
      this.visibleBytes(active),
    )
  }

  visibleBytes(segment: ReadableSegment): FilePosition {
    const { segment: last, position } = this.#visibleEnd
    if (segment.baseOffset < last) return segment.sizeBytes
    return segment.baseOffset === last ? position : 0
  }

  /**
   * Resolves when the high watermark passes `offset`, or the signal is given. Rejects with
   * LogClosedError or LogOfflineError when nothing more will come.
   */
  async whenVisible(offset: Offset, signal: AbortSignal | null): Promise<void> {
    while (this.offsets.highWatermark <= offset && signal?.aborted !== true) {
      if (this.#failure !== null) throw this.#failure
      if (this.#isClosed) throw new LogClosedError(this.name)
      await this.#pause(signal)
    }
  }

  #pause(signal: AbortSignal | null): Promise<void> {
    this.#waiting ??= new Set()
    const waiting = this.#waiting
    return new Promise((resolve) => {
      const end = (): void => {
        waiting.delete(end)
        signal?.removeEventListener('abort', end)
        resolve()
      }
      waiting.add(end)
      signal?.addEventListener('abort', end)
    })
  }

  /** Makes whoever waits look again. */
  wake(): void {
    if (this.#waiting === null || this.#waiting.size === 0) return
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of waiting) resolve()
  }

  /**
   * Notes how far the log has come, for other processes and for recovery. One small write into the
   * page cache, not flushed, because an older note is a lower bound and as true.
   */
  saveProgress(): void {
    const file = this.#borrowProgressFile()
    try {
      this.#progress ??= new ProgressFile()
      const { active } = this.segments
      this.#progress.write(file, {
        logStartOffset: this.offsets.logStartOffset,
        highWatermark: this.offsets.highWatermark,
        recoveryPoint: this.#recoveryPoint,
        recoverySegment: Math.min(active.baseOffset, this.#recoveryPoint),
        recoveryPosition: 0,
      })
    } finally {
      this.files.giveBack(file)
    }
  }

  /**
   * Makes the progress file durable, once, with a recovery point that is no lower than where the
   * log ended when it was opened. From there on the log's segments follow each other without a gap:
   * what a broker's compaction has left lies below.
   */
  async makeProgressDurable(): Promise<void> {
    if (this.#isProgressDurable) return
    this.saveProgress()
    const file = this.#borrowProgressFile()
    try {
      await file.datasync()
    } finally {
      this.files.giveBack(file)
    }
    if (!this.#isProgressNamed) await this.fs.syncDirectory(this.directory)
    this.#isProgressNamed = true
    this.#isProgressDurable = true
  }

  /**
   * Raises the recovery point to where the log is flushed, durably. What compaction is about to
   * replace must not be recovered any more: a producer snapshot may know of a transaction as open
   * whose marker will be gone.
   */
  async settleRecoveryPoint(): Promise<void> {
    this.raiseRecoveryPoint(this.offsets.flushedOffset)
    this.#isProgressDurable = false
    await this.makeProgressDurable()
  }

  /** Writes the leader-epoch checkpoint, durably. */
  saveEpochs(): Promise<void> {
    const path = `${this.directory}/${leaderEpochCheckpointFileName}`
    return replaceSmallFile(this.fs, path, this.epochs.encode())
  }

  /** A write or flush failed: readers that wait learn it now. */
  goOffline(failure: LogOfflineError): void {
    this.#failure = failure
    this.#nothingMore()
    const { name } = this
    logChannels.offline.publish({ log: name, error: failure })
  }

  closed(): void {
    this.#isClosed = true
    this.files.forgetDirectory(this.directory)
    this.tail.clear()
    this.segments.release()
    this.#points?.dropAll()
    this.#nothingMore()
  }

  #borrowProgressFile(): File {
    const last = this.#progressFile
    if (last !== null && this.files.borrowAgain(last)) return last
    const path = `${this.directory}/${progressFileName}`
    if (this.#progress === null) this.#createProgressFile(path)
    this.#progressFile = this.files.borrow(path, 'write')
    return this.#progressFile
  }

  /**
   * An earlier life's file is gone on with, so that whoever follows the log sees the numbers rise.
   */
  #createProgressFile(path: string): void {
    this.files.forget(path)
    if (this.fs.stat(path) === null) this.fs.open(path, 'replace').close()
  }
}

import { basename, dirname } from 'node:path'
import {
  type Batch,
  CorruptBatchError,
  type FilePosition,
  InvalidArgumentError,
  type Offset,
  type Timestamp,
} from '@varve/record'
import { type Clock, systemClock } from '../base/clock.ts'
import { LogClosedError, LogNotFoundError } from '../base/log-errors.ts'
import type { SegmentInfo, SegmentPlace } from '../base/segment-info.ts'
import { provenLogStart } from '../format/log-start.ts'
import { OffsetCheckpointFile } from '../format/offset-checkpoint.ts'
import { OwnCheckpoints } from '../format/own-checkpoints.ts'
import { type NumberedProgress, ProgressFile, progressFileBytes } from '../format/progress-file.ts'
import type { ListedSegment } from '../format/segment-listing.ts'
import { scanBatches } from '../format/segment-scan.ts'
import type { AbortedTransaction, TransactionIndex } from '../format/transaction-index.ts'
import type { Isolation, ReadableSegment, ReadSource } from '../segments/read-source.ts'
import { listReadableSegments } from '../segments/readable-listing.ts'
import { SealedSegment } from '../segments/sealed-segment.ts'
import { segmentFileKinds, segmentPath } from '../segments/segment-files.ts'
import { TimestampPeaks } from '../segments/timestamp-peaks.ts'
import {
  logStartOffsetCheckpointFileName,
  partitionMetadataFileName,
  progressFileName,
} from '../storage/file-names.ts'
import { type FileSystem, isSystemError, readFileStart } from '../storage/file-system.ts'
import { OpenFiles } from '../storage/open-files.ts'
import { ChangeWatch } from './change-watch.ts'
import { CommittedView } from './committed-view.ts'

/** How a log is opened beside the process that writes it. */
export interface ReadOnlyLogOptions {
  /**
   * How often a follower looks for more, in ms. Where the system tells of changes it looks at once;
   * this is for what it is not told of. @defaultValue 5
   */
  readonly pollMs?: number
  /** Files kept open. @defaultValue 16 */
  readonly openFilesMax?: number
  /** @defaultValue the real file system */
  readonly fs?: FileSystem
  /** @defaultValue the system's clock */
  readonly clock?: Clock
}

/** What a `partition.metadata` file has at most. */
const metadataBytesMax = 1024

/** The log of another process as readers need it. */
export class FollowedSource implements ReadSource {
  readonly name: string
  readonly files: OpenFiles
  readonly tail = null
  readonly clock: Clock
  readonly #directory: string
  readonly #fs: FileSystem
  readonly #pollMs: number
  /** Of the writer's note. */
  readonly #changes: ChangeWatch
  #segments: readonly FollowedSegment[] = []
  readonly #peaks = new TimestampPeaks()
  #logStartOffset: Offset = 0
  #highWatermark: Offset = 0
  /** The writer's note at the last look. */
  #progress: NumberedProgress | null = null
  #turn: Promise<unknown> = Promise.resolve()
  #committed: CommittedView | null = null
  /** The largest timestamp in the last segment, when its end was last looked for. */
  #tail: { readonly identity: object; timestamp: Timestamp } | null = null
  /** Segments whose transaction index was read. */
  readonly #indexed = new WeakSet<SealedSegment>()
  /** What says which topic it belongs to, once it was found. */
  #metadata: Buffer | null = null
  #isClosed = false

  constructor(directory: string, fs: FileSystem, options: ReadOnlyLogOptions) {
    const { pollMs = 5, openFilesMax = 16 } = options
    if (!(Number.isSafeInteger(openFilesMax) && openFilesMax >= 1)) {
      throw new InvalidArgumentError('openFilesMax', openFilesMax, 'must be a positive integer')
    }
    if (!(pollMs >= 1 && pollMs <= 60_000)) {
      throw new InvalidArgumentError('pollMs', pollMs, 'must be 1 to 60000')
    }
    this.name = basename(directory)
    this.files = new OpenFiles(fs, openFilesMax)
    this.#directory = directory
    this.#fs = fs
    this.clock = options.clock ?? systemClock
    this.#pollMs = pollMs
    this.#changes = new ChangeWatch(fs, this.clock, `${directory}/${progressFileName}`)
  }

  get logStartOffset(): Offset {
    return this.#logStartOffset
  }

  get highWatermark(): Offset {
    return this.#highWatermark
  }

  get logEndOffset(): Offset {
    return this.#highWatermark
  }

  get lastStableOffset(): Offset {
    return this.#committed?.lastStableOffset ?? this.#logStartOffset
  }

  /** Looks at what there is, if its writer has noted anything since the last look. */
  refresh(): Promise<void> {
    return this.#inTurn(async () => {
      const progress = this.#readProgress()
      const isKnown = this.#segments.length > 0 && isSameNote(progress, this.#progress)
      if (progress === null || !isKnown) await this.#look(progress)
    })
  }

  reload(): Promise<boolean> {
    return this.#inTurn(async () => {
      const before = this.#segments
      const ends = [this.#logStartOffset, this.#highWatermark]
      await this.#look(this.#readProgress())
      const isSame =
        before.length === this.#segments.length &&
        before.every((entry, index) => entry === this.#segments[index]) &&
        ends[0] === this.#logStartOffset &&
        ends[1] === this.#highWatermark
      return !isSame
    })
  }

  isSame(segment: ReadableSegment): boolean {
    const known = this.#segments[this.#countTo(segment.baseOffset) - 1]
    if (known === undefined || known.segment.identity !== segment.identity) return false
    return this.#fs.stat(known.segment.path)?.fileId === known.fileId
  }

  /** Two looks at once could end in the wrong order. */
  #inTurn<Result>(action: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(() => {
      this.#assertOpen()
      return action()
    })
    this.#turn = result.catch(() => undefined)
    return result
  }

  async #look(progress: NumberedProgress | null): Promise<void> {
    const isFirst = this.#segments.length === 0
    const listed = await this.#list()
    this.#assertSameTopic()
    this.#takeSegments(listed)
    const first = this.#segments[0]?.segment.baseOffset ?? 0
    const start = Math.max(first, progress?.logStartOffset ?? this.#checkpointedStart())
    // A note that was made since the last look is the word of a writer that lives. An old one may
    // be from before a crash, and promise more than the disk kept.
    const isAlive =
      !isFirst && progress !== null && progress.sequence > (this.#progress?.sequence ?? -1)
    const end = isAlive ? progress.highWatermark : await this.#findEnd(progress)
    this.#progress = progress
    this.#highWatermark = Math.max(end, start)
    this.#logStartOffset = start
  }

  async #list(): Promise<readonly ListedSegment[]> {
    try {
      return await listReadableSegments(this.#fs, this.#directory)
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error
      throw new LogNotFoundError(`there is no log directory ${this.#directory} any more`)
    }
  }

  /** Its directory may have been deleted, and one for another topic of the same name made. */
  #assertSameTopic(): void {
    const path = `${this.#directory}/${partitionMetadataFileName}`
    const found = readFileStart(this.#fs, path, metadataBytesMax)
    if (found === null) return
    this.#metadata ??= found
    if (found.equals(this.#metadata)) return
    throw new LogNotFoundError(`log ${this.name} was deleted, and another one of its name made`)
  }

  segmentFor(offset: Offset): ReadableSegment | null {
    return this.#segments[Math.max(0, this.#countTo(offset) - 1)]?.segment ?? null
  }

  segmentAfter(baseOffset: Offset): ReadableSegment | null {
    return this.#segments[this.#countTo(baseOffset)]?.segment ?? null
  }

  async segmentReaching(timestamp: Timestamp): Promise<ReadableSegment | null> {
    const maxTimestampOf = (index: number): Timestamp =>
      this.#segments[index]?.segment.maxTimestamp ?? -1
    // Counted anew after every wait: another look may have found others.
    const segments = { count: () => this.#segments.length, maxTimestampOf }
    const index = await this.#peaks.find(segments, timestamp)
    return this.#segments[index]?.segment ?? null
  }

  /** How many segments have a base offset of at most `offset`. */
  #countTo(offset: Offset): number {
    let low = 0
    let high = this.#segments.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const entry = this.#segments[middle]
      if (entry !== undefined && entry.segment.baseOffset <= offset) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The file may hold more than is visible; readers stop at the high watermark. */
  visibleBytes(segment: ReadableSegment): FilePosition {
    return segment.sizeBytes
  }

  abortedTransactions(from: Offset, upperBound: Offset): readonly AbortedTransaction[] {
    const committed = this.#committed
    if (committed === null) return []
    const found: AbortedTransaction[] = []
    const first = Math.max(0, this.#countTo(from) - 1)
    for (let index = first; index < this.#segments.length; index++) {
      const segment = this.#segments[index]?.segment
      if (segment === undefined || segment.baseOffset >= committed.startOffset) break
      if (segment.nextOffset <= from) continue
      const { aborted } = this.#transactionIndexOf(segment).collect(from, upperBound)
      for (const transaction of aborted) {
        if (transaction.lastOffset < committed.startOffset) found.push(transaction)
      }
    }
    return [...found, ...committed.aborted(from, upperBound)]
  }

  /** Read once for each segment, and then it must be that segment's, not a newer one's. */
  #transactionIndexOf(segment: SealedSegment): TransactionIndex {
    const index = segment.transactionIndex
    if (this.#indexed.has(segment)) return index
    if (!this.isSame(segment)) throw new CorruptBatchError('its file was replaced', 0)
    this.#indexed.add(segment)
    return index
  }

  prepare(isolation: Isolation): Promise<void> | null {
    this.#assertOpen()
    if (isolation === 'uncommitted') return null
    if (this.#committed?.isUsable !== true) {
      this.#committed = new CommittedView(this, this.#fs, this.#directory)
    }
    return this.#committed.isCurrent ? null : this.#committed.advance()
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new LogClosedError(this.name)
  }

  async whenVisible(offset: Offset, signal: AbortSignal | null): Promise<void> {
    let before: number | null = null
    for (;;) {
      const seen = this.#changes.begin()
      await this.refresh()
      const isVisible = this.#highWatermark > offset
      if (isVisible && before !== null) this.#changes.found(before)
      if (isVisible || signal?.aborted === true) return
      await this.#changes.wait(seen, this.#pollMs, signal)
      before = seen
    }
  }

  places(): readonly SegmentPlace[] {
    return this.#segments.map(({ segment }, index) => {
      const { baseOffset, nextOffset, sizeBytes, path } = segment
      const isLast = index === this.#segments.length - 1
      const end = isLast ? Math.max(this.#highWatermark, baseOffset) : nextOffset
      return { baseOffset, nextOffset: end, sizeBytes, path }
    })
  }

  infos(): readonly SegmentInfo[] {
    return this.#segments.map(({ segment }, index) => {
      const info = segment.info()
      if (index < this.#segments.length - 1) return info
      const nextOffset = Math.max(this.#highWatermark, segment.baseOffset)
      const maxTimestamp = Math.max(this.#tailTimestampOf(segment), segment.indexedTimestamp)
      return { ...info, nextOffset, maxTimestamp }
    })
  }

  #tailTimestampOf(segment: SealedSegment): Timestamp {
    return this.#tail?.identity === segment.identity ? this.#tail.timestamp : -1
  }

  close(): void {
    this.#isClosed = true
    this.#changes.close()
    this.files.close()
  }

  #readProgress(): NumberedProgress | null {
    const path = `${this.#directory}/${progressFileName}`
    const bytes = readFileStart(this.#fs, path, progressFileBytes)
    return bytes === null ? null : ProgressFile.read(bytes)
  }

  /** Of the data directory, or of a log on its own. */
  #checkpointedStart(): Offset {
    const own = new OwnCheckpoints(this.#fs, this.#directory).logStartOffset ?? 0
    const path = `${dirname(this.#directory)}/${logStartOffsetCheckpointFileName}`
    const shared = new OffsetCheckpointFile(this.#fs, path).readOrEmpty().get(this.name) ?? 0
    return provenLogStart(this.#fs, this.#directory, Math.max(own, shared))
  }

  /** Segments that are the same files keep their identity, so that readers keep their place. */
  #takeSegments(listed: readonly ListedSegment[]): void {
    const seen = this.#segments
    const before = new Map(seen.map((entry) => [entry.segment.baseOffset, entry]))
    this.#segments = listed.map((file, index) => {
      const known = before.get(file.baseOffset)
      const isSame = known?.fileId === file.fileId
      if (known !== undefined && !isSame) this.#forget(known.segment)
      const nextOffset = listed[index + 1]?.baseOffset ?? Number.MAX_SAFE_INTEGER
      if (isSame && known.segment.sizeBytes === file.sizeBytes) {
        const { segment } = known
        if (segment.nextOffset === nextOffset && segment.path === file.path) return known
      }
      const isLast = index === listed.length - 1
      const { baseOffset, sizeBytes, path, fileId } = file
      // Until it is sealed its time index says little: any timestamp may be in it.
      const maxTimestamp = isLast ? Number.MAX_SAFE_INTEGER : null
      const info = { baseOffset, nextOffset, sizeBytes, path, maxTimestamp }
      const identity = isSame ? known.segment.identity : {}
      return { fileId, segment: new SealedSegment(this.files, this.#directory, info, identity) }
    })
    const firstNew = this.#segments.findIndex((entry, index) => entry !== seen[index])
    this.#peaks.keep(firstNew < 0 ? this.#segments.length : firstNew)
  }

  /** Another file has the name of one that may be open. */
  #forget({ baseOffset, path }: SealedSegment): void {
    this.files.forget(path)
    for (const kind of segmentFileKinds) {
      this.files.forget(segmentPath(this.#directory, baseOffset, kind))
    }
  }

  /** The end of the last whole batch, found from the last index entry on. */
  async #findEnd(progress: NumberedProgress | null): Promise<Offset> {
    const last = this.#segments.at(-1)?.segment
    if (last === undefined) return progress?.logStartOffset ?? 0
    const { position } = last.seek(Number.MAX_SAFE_INTEGER)
    const tail = { identity: last.identity, timestamp: last.indexedTimestamp }
    this.#tail = tail
    const found =
      (await this.#scanEnd(last, position, tail)) ?? (await this.#scanEnd(last, 0, tail))
    const end = found ?? last.baseOffset
    return progress === null ? end : Math.min(end, progress.highWatermark)
  }

  async #scanEnd(
    segment: SealedSegment,
    from: FilePosition,
    tail: { timestamp: Timestamp },
  ): Promise<Offset | null> {
    const file = this.files.borrow(segment.path, 'read')
    try {
      let end: Offset | null = null
      const visit = (batch: Batch): boolean => {
        end = batch.nextOffset
        tail.timestamp = Math.max(tail.timestamp, batch.maxTimestamp)
        return true
      }
      await scanBatches(file, visit, { from, to: file.sizeBytes() })
      return end
    } finally {
      this.files.giveBack(file)
    }
  }
}

function isSameNote(one: NumberedProgress | null, other: NumberedProgress | null): boolean {
  return (
    one?.sequence === other?.sequence &&
    one?.highWatermark === other?.highWatermark &&
    one?.logStartOffset === other?.logStartOffset
  )
}

interface FollowedSegment {
  readonly fileId: number
  readonly segment: SealedSegment
}

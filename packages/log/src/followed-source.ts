import { basename, dirname } from 'node:path'
import {
  type Batch,
  type FilePosition,
  InvalidArgumentError,
  type Offset,
  type Timestamp,
} from '@varve/record'
import { type Clock, systemClock } from './clock.ts'
import { CommittedView } from './committed-view.ts'
import { logStartOffsetCheckpointFileName, progressFileName } from './file-names.ts'
import { type FileSystem, readFileStart } from './file-system.ts'
import { LogClosedError } from './log-errors.ts'
import { OffsetCheckpointFile } from './offset-checkpoint.ts'
import { OpenFiles } from './open-files.ts'
import { type NumberedProgress, ProgressFile, progressFileBytes } from './progress-file.ts'
import type { Isolation, ReadableSegment, ReadSource } from './read-source.ts'
import { SealedSegment } from './sealed-segment.ts'
import type { SegmentInfo } from './segment-info.ts'
import { type ListedSegment, listSegments } from './segment-listing.ts'
import { scanBatches } from './segment-scan.ts'
import type { AbortedTransaction } from './transaction-index.ts'

export interface ReadOnlyLogOptions {
  /** How often a follower looks for more, in ms. @defaultValue 5 */
  readonly pollMs?: number
  /** Files kept open. @defaultValue 16 */
  readonly openFilesMax?: number
  /** @defaultValue the real file system */
  readonly fs?: FileSystem
  /** @defaultValue the system's clock */
  readonly clock?: Clock
}

/** The log of another process as readers need it. */
export class FollowedSource implements ReadSource {
  readonly name: string
  readonly files: OpenFiles
  readonly tail = null
  readonly #directory: string
  readonly #fs: FileSystem
  readonly #clock: Clock
  readonly #pollMs: number
  #segments: FollowedSegment[] = []
  #logStartOffset: Offset = 0
  #highWatermark: Offset = 0
  #sequence = -1
  #committed: CommittedView | null = null
  /** The largest timestamp in the last segment, when its end was last looked for. */
  #tailTimestamp: Timestamp = -1
  #isClosed = false

  constructor(directory: string, fs: FileSystem, options: ReadOnlyLogOptions) {
    const { pollMs = 5, openFilesMax = 16 } = options
    if (!(pollMs >= 1 && pollMs <= 60_000)) {
      throw new InvalidArgumentError('pollMs', pollMs, 'must be 1 to 60000')
    }
    this.name = basename(directory)
    this.files = new OpenFiles(fs, openFilesMax)
    this.#directory = directory
    this.#fs = fs
    this.#clock = options.clock ?? systemClock
    this.#pollMs = pollMs
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

  async refresh(): Promise<void> {
    if (this.#isClosed) throw new LogClosedError(this.name)
    const progress = this.#readProgress()
    const isFirst = this.#segments.length === 0
    const isUnchanged = progress !== null && progress.sequence === this.#sequence
    if (isUnchanged && !isFirst) return
    this.#takeSegments(listSegments(this.#fs, this.#directory))
    const first = this.#segments[0]?.segment.baseOffset ?? 0
    const start = Math.max(first, progress?.logStartOffset ?? this.#checkpointedStart())
    // A note that was made since the last look is the word of a writer that lives. An old one may
    // be from before a crash, and promise more than the disk kept.
    const isAlive = !isFirst && progress !== null && progress.sequence > this.#sequence
    const end = isAlive ? progress.highWatermark : await this.#findEnd(progress)
    this.#sequence = progress?.sequence ?? -1
    this.#highWatermark = Math.max(end, start)
    this.#logStartOffset = start
  }

  segmentFor(offset: Offset): ReadableSegment | null {
    const found = this.#segments.findLast(({ segment }) => segment.baseOffset <= offset)
    return (found ?? this.#segments[0])?.segment ?? null
  }

  segmentAfter(baseOffset: Offset): ReadableSegment | null {
    const found = this.#segments.find(({ segment }) => segment.baseOffset > baseOffset)
    return found?.segment ?? null
  }

  /** The file may hold more than is visible; readers stop at the high watermark. */
  visibleBytes(segment: ReadableSegment): FilePosition {
    return segment.sizeBytes
  }

  abortedTransactions(from: Offset, upperBound: Offset): readonly AbortedTransaction[] {
    const committed = this.#committed
    if (committed === null) return []
    const found: AbortedTransaction[] = []
    for (const { segment } of this.#segments) {
      if (segment.baseOffset >= committed.startOffset) break
      if (segment.nextOffset <= from) continue
      const { aborted } = segment.transactionIndex.collect(from, upperBound)
      found.push(...aborted.filter(({ lastOffset }) => lastOffset < committed.startOffset))
    }
    return [...found, ...committed.aborted(from, upperBound)]
  }

  prepare(isolation: Isolation): Promise<void> | null {
    if (isolation === 'uncommitted') return null
    this.#committed ??= new CommittedView(this, this.#fs, this.#directory)
    return this.#committed.isCurrent ? null : this.#committed.advance()
  }

  async whenVisible(offset: Offset, signal: AbortSignal | null): Promise<void> {
    for (;;) {
      await this.refresh()
      if (this.#highWatermark > offset || signal?.aborted === true) return
      await this.#pause(signal)
    }
  }

  infos(): readonly SegmentInfo[] {
    return this.#segments.map(({ segment }, index) => {
      const info = segment.info()
      if (index < this.#segments.length - 1) return info
      const nextOffset = Math.max(this.#highWatermark, segment.baseOffset)
      return { ...info, nextOffset, maxTimestamp: this.#tailTimestamp }
    })
  }

  close(): void {
    this.#isClosed = true
    this.files.close()
  }

  #pause(signal: AbortSignal | null): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel()
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const timer = this.#clock.setTimer(this.#pollMs, end, { keepsAlive: true })
      signal?.addEventListener('abort', end)
    })
  }

  #readProgress(): NumberedProgress | null {
    const path = `${this.#directory}/${progressFileName}`
    const bytes = readFileStart(this.#fs, path, progressFileBytes)
    return bytes === null ? null : ProgressFile.read(bytes)
  }

  #checkpointedStart(): Offset {
    const path = `${dirname(this.#directory)}/${logStartOffsetCheckpointFileName}`
    return new OffsetCheckpointFile(this.#fs, path).readOne(this.name) ?? 0
  }

  /** Segments that are the same files keep their identity, so that readers keep their place. */
  #takeSegments(listed: readonly ListedSegment[]): void {
    const before = new Map(this.#segments.map((entry) => [entry.segment.baseOffset, entry]))
    this.#segments = listed.map((file, index) => {
      const known = before.get(file.baseOffset)
      const isSame = known?.fileId === file.fileId
      if (known !== undefined && !isSame) this.files.forget(file.path)
      const nextOffset = listed[index + 1]?.baseOffset ?? Number.MAX_SAFE_INTEGER
      if (isSame && known.segment.sizeBytes === file.sizeBytes) {
        if (known.segment.nextOffset === nextOffset) return known
      }
      const isLast = index === listed.length - 1
      const { baseOffset, sizeBytes, path, fileId } = file
      // Until it is sealed its time index says little: any timestamp may be in it.
      const maxTimestamp = isLast ? Number.MAX_SAFE_INTEGER : null
      const info = { baseOffset, nextOffset, sizeBytes, path, maxTimestamp }
      const identity = isSame ? known.segment.identity : {}
      return { fileId, segment: new SealedSegment(this.files, this.#directory, info, identity) }
    })
  }

  /** The end of the last whole batch, found from the last index entry on. */
  async #findEnd(progress: NumberedProgress | null): Promise<Offset> {
    const last = this.#segments.at(-1)?.segment
    if (last === undefined) return progress?.logStartOffset ?? 0
    const { position } = last.seek(Number.MAX_SAFE_INTEGER)
    this.#tailTimestamp = last.indexedTimestamp
    const found = (await this.#scanEnd(last, position)) ?? (await this.#scanEnd(last, 0))
    const end = found ?? last.baseOffset
    return progress === null ? end : Math.min(end, progress.highWatermark)
  }

  async #scanEnd(segment: SealedSegment, from: FilePosition): Promise<Offset | null> {
    const file = this.files.borrow(segment.path, 'read')
    try {
      let end: Offset | null = null
      const visit = (batch: Batch): boolean => {
        end = batch.nextOffset
        this.#tailTimestamp = Math.max(this.#tailTimestamp, batch.maxTimestamp)
        return true
      }
      await scanBatches(file, visit, { from, to: file.sizeBytes() })
      return end
    } finally {
      this.files.giveBack(segment.path, 'read', file)
    }
  }
}

interface FollowedSegment {
  readonly fileId: number
  readonly segment: SealedSegment
}

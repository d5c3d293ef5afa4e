import { type Batch, CorruptBatchError, type FilePosition, type Offset } from '@varve/record'
import type { LeaderEpochCache } from '../format/leader-epoch-cache.ts'
import { type BatchVisitor, type ScanEnd, scanBatches } from '../format/segment-scan.ts'
import { type ReplayPlace, replayBatch } from '../producers/producer-replay.ts'
import type { ProducerStateManager } from '../producers/producer-state.ts'
import { type File, writeFully } from '../storage/file-system.ts'
import type { ActiveSegment } from './active-segment.ts'

/** What a scan of a segment rebuilds besides the segment's own indexes. */
export interface RebuiltState {
  /** Of the log. */
  readonly name: string
  readonly producers: ProducerStateManager
  readonly epochs: LeaderEpochCache
}

export interface ScannedSegment {
  readonly end: ScanEnd
  /** Size of the file as it was found. */
  readonly fileBytes: number
  /** The spine of the batches before `digestPosition`; null when no batch ends there. */
  readonly spineAtDigest: number | null
}

/** What is known of a segment before it is read. */
export interface ScanBounds {
  readonly recoveryPoint: Offset
  /** Where the next segment begins; null for the last one. */
  readonly endOffset: Offset | null
  /** Where the segment ended when its digest was made; null without one. */
  readonly digestPosition: FilePosition | null
  /** Whether every batch that was ever written to the segment must be there: none was compacted. */
  readonly isWhole: boolean
  /**
   * Whether what is right, from the first batch at or above the recovery point on, is written again
   * and flushed, as {@link makeDurable} does, in the same pass: by each stretch that was checked.
   */
  readonly isRewritten: boolean
}

const relativeOffsetMax = 2 ** 31 - 1

/**
 * Reads a segment from its start, checking every batch, and rebuilds what is derived from it: the
 * indexes and digest in `segment` (made new and empty by the caller), the producer state, the
 * leader epochs. Stops at the first batch that is not right, in itself or in its place.
 */
export async function scanSegment(
  file: File,
  segment: ActiveSegment,
  state: RebuiltState,
  bounds: ScanBounds,
): Promise<ScannedSegment> {
  const { recoveryPoint, digestPosition, endOffset, isWhole, isRewritten } = bounds
  const fileBytes = file.sizeBytes()
  let recoveryPosition: FilePosition | null = null
  let spineAtDigest: number | null = null
  const place = { log: state.name, path: segment.path }
  const visit: BatchVisitor = (batch, memory, start) => {
    if (batch.position === digestPosition) spineAtDigest = segment.spine.value
    checkPlace(batch, segment, endOffset)
    if (isWhole) checkFormerEnd(batch, segment.nextOffset, recoveryPoint)
    if (batch.nextOffset > recoveryPoint) recoveryPosition ??= batch.position
    takeIn(batch, segment, state, place, memory, start)
    return true
  }
  const rewriting = new Rewriting(file)
  const onVisited = async (bytes: Buffer, position: FilePosition): Promise<void> => {
    const known = recoveryPosition === null ? bytes.length : recoveryPosition - position
    if (known < bytes.length) await rewriting.write(bytes, position, Math.max(0, known))
  }
  const end = await scanBatches(file, visit, { to: fileBytes, ...(isRewritten && { onVisited }) })
  if (isRewritten) await rewriting.flush()
  if (end.position === digestPosition) spineAtDigest = segment.spine.value
  return { end, fileBytes, spineAtDigest }
}

/**
 * Offsets rise, fit the segment's indexes and, where there is one, stay below the next segment's.
 */
export function checkPlace(
  batch: Batch,
  segment: { readonly baseOffset: Offset; readonly nextOffset: Offset },
  endOffset: Offset | null = null,
): void {
  // The base offset of a compressed batch of the old formats is inside; its last offset is not.
  const firstOffset = batch.magic === 2 ? batch.baseOffset : batch.lastOffset
  if (firstOffset < segment.nextOffset) {
    const expected = `${segment.nextOffset} or more was expected`
    throw new CorruptBatchError(`its first offset is ${firstOffset}, ${expected}`, batch.position)
  }
  if (endOffset !== null && batch.lastOffset >= endOffset) {
    const where = `where the next segment begins at ${endOffset}`
    throw new CorruptBatchError(`its last offset is ${batch.lastOffset}, ${where}`, batch.position)
  }
  if (batch.lastOffset - segment.baseOffset > relativeOffsetMax) {
    const distance = `more than 2^31 after the segment's base offset ${segment.baseOffset}`
    throw new CorruptBatchError(
      `its last offset is ${batch.lastOffset}, ${distance}`,
      batch.position,
    )
  }
}

/**
 * The log ended at the recovery point when that was written, so a batch ended there. One that jumps
 * over it has lost what was before it, or has a base offset, which no checksum covers, that was
 * raised.
 */
function checkFormerEnd(batch: Batch, expected: Offset, recoveryPoint: Offset): void {
  const first = batch.magic === 2 ? batch.baseOffset : batch.lastOffset
  if (expected >= recoveryPoint || first <= recoveryPoint) return
  const reason = `its first offset is ${first}, ${expected} to ${recoveryPoint} was expected`
  throw new CorruptBatchError(reason, batch.position)
}

/** Takes in the next batch of a log that is right: into its indexes, producers and epochs. */
export function rebuildFrom(batch: Batch, segment: ActiveSegment, state: RebuiltState): void {
  takeIn(batch, segment, state, { log: state.name, path: segment.path }, batch.bytes, 0)
}

function takeIn(
  batch: Batch,
  segment: ActiveSegment,
  state: RebuiltState,
  place: ReplayPlace,
  memory: Buffer,
  start: number,
): void {
  const completed = replayBatch(state.producers, batch, place)
  segment.add(batch, memory, start)
  const { leaderEpoch } = batch
  if (leaderEpoch > (state.epochs.latestEpoch ?? -1)) {
    state.epochs.assign(leaderEpoch, batch.baseOffset)
  }
  if (completed?.isAborted === true) segment.transactionIndex.append(completed)
}

/** Rewritten at once. */
const rewriteBytes = 1024 * 1024

/**
 * Writes a stretch of a file again, the same bytes, and flushes it. What a crashed process wrote
 * may sit in the page cache without being durable, and after a failed flush the kernel may believe
 * it clean: a flush alone would do nothing. Written again it is dirty, and the flush means it.
 */
export async function makeDurable(file: File, from: FilePosition, to: FilePosition): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(rewriteBytes, to - from)))
  for (let position = from; position < to; position += buffer.length) {
    const bytes = buffer.subarray(0, Math.min(buffer.length, to - position))
    await file.read(bytes, position)
    await writeFully(file, bytes, position)
  }
  await file.datasync()
}

/**
 * So much may be written before the disk is set to work on it, beside whoever goes on writing. Less
 * makes more flushes, of which each waits for the disk's cache.
 */
const flushedBytes = 64 * 1024 * 1024

/** The same while a file is read, stretch by stretch, of bytes that were checked. */
class Rewriting {
  readonly #file: File
  #unflushedBytes = 0
  #flushing: Promise<void> | null = null

  constructor(file: File) {
    this.#file = file
  }

  /** Writes `bytes`, which lie at `position` in the file, from their byte number `from` on. */
  async write(bytes: Buffer, position: FilePosition, from: number): Promise<void> {
    const written = from === 0 ? bytes : bytes.subarray(from)
    await writeFully(this.#file, written, position + from)
    this.#unflushedBytes += written.length
    if (this.#unflushedBytes < flushedBytes || this.#flushing !== null) return
    this.#unflushedBytes = 0
    this.#flushing = this.#file.datasync().then(() => {
      this.#flushing = null
    })
    // It stays, and is asked for at the end.
    this.#flushing.catch(() => undefined)
  }

  /** Resolves when everything is durable. */
  async flush(): Promise<void> {
    await this.#flushing
    await this.#file.datasync()
  }
}

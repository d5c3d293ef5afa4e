import type { Offset, RecordBatch } from '@varve/record'
import type { RollReason } from '../base/diagnostics.ts'
import { InvalidBatchError } from '../base/log-errors.ts'
import { batchOf, type QueuedBatch } from './append-queue.ts'
import type { LogState, VisibleEnd } from './log-state.ts'

/** A batch that has its offsets, and its place in the log unless the log has it already. */
export interface PlacedBatch {
  readonly queued: QueuedBatch
  readonly baseOffset: Offset
  readonly lastOffset: Offset
  readonly isDuplicate: boolean
  /** Where readers may read up to once it is acknowledged. */
  readonly end: VisibleEnd
}

/**
 * Gives a batch its offsets and its place, in the order of the queue, in one synchronous step:
 * producer state, indexes and log end agree at any moment. Returns why the active segment must be
 * sealed first, in which case nothing was done. A batch that may not be appended rejects its append
 * alone.
 */
export function placeBatch(
  state: LogState,
  queued: QueuedBatch,
  bytes: Buffer,
  run: WriteRun,
  placed: PlacedBatch[],
): RollReason | null {
  const { segments, offsets, producers, clock } = state
  const { active } = segments
  const batch = batchOf(queued, bytes, active.sizeBytes)
  try {
    const check = producers.check(batch, queued.origin)
    if (check.kind === 'duplicate') {
      const { baseOffset, lastOffset } = check
      placed.push({ queued, baseOffset, lastOffset, isDuplicate: true, end: state.visibleEnd })
      return null
    }
  } catch (error) {
    queued.waiters.reject(error)
    return null
  }
  const baseOffset = offsets.logEndOffset
  const lastOffset = baseOffset + (batch.lastOffset - batch.baseOffset)
  if (lastOffset >= Number.MAX_SAFE_INTEGER) {
    queued.waiters.reject(new InvalidBatchError('the log has no offsets left for its records'))
    return null
  }
  const reason = active.rollReason(batch, lastOffset, clock.now())
  if (reason !== null) return reason
  stamp(state, batch, baseOffset)
  active.add(batch)
  offsets.placed(lastOffset + 1)
  const completed = producers.update(batch)
  if (completed?.isAborted === true) active.transactionIndex.append(completed)
  run.add(queued, batch)
  const end = { segment: active.baseOffset, position: active.sizeBytes }
  placed.push({ queued, baseOffset, lastOffset, isDuplicate: false, end })
  return null
}

/** Offsets and leader epoch lie outside the checksum; the log's own time does not. */
function stamp(state: LogState, batch: RecordBatch, baseOffset: Offset): void {
  const isLogTime = state.options.messageTimestampType === 'LogAppendTime'
  // Batches that the queue made carry the log's time already.
  if (isLogTime && batch.timestampType === 'CreateTime' && !batch.isControl) {
    batch.stampLogAppendTime(state.clock.now())
  }
  batch.stamp(baseOffset, state.leaderEpoch)
}

/** What goes into one segment in one go: neighbours in memory are written together. */
export class WriteRun {
  readonly position: number
  batches = 0
  sizeBytes = 0
  readonly chunks: Buffer[] = []

  constructor(position: number) {
    this.position = position
  }

  /** Whether each write is done sooner than it is handed to the thread pool. */
  get isWrittenOnLoop(): boolean {
    return this.chunks.every(isWrittenOnLoop)
  }

  add(queued: QueuedBatch, batch: RecordBatch): void {
    this.batches++
    this.sizeBytes += batch.sizeBytes
    const { bytes } = batch
    const last = this.chunks.at(-1)
    const isNeighbour =
      queued.span !== null &&
      last !== undefined &&
      last.buffer === bytes.buffer &&
      last.byteOffset + last.length === bytes.byteOffset
    if (!isNeighbour) {
      this.chunks.push(bytes)
      return
    }
    const length = last.length + bytes.length
    this.chunks[this.chunks.length - 1] = Buffer.from(last.buffer, last.byteOffset, length)
  }
}

/**
 * Up to 256 KiB are written on the event loop: 16 KiB take 8 µs there, and the hop through the
 * thread pool alone takes 40. More is worth the hop, to keep the loop free.
 */
export function isWrittenOnLoop(chunk: Uint8Array): boolean {
  return chunk.length <= 256 * 1024
}

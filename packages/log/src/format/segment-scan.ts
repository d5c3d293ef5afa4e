import { strict as assert } from 'node:assert'
import {
  type Batch,
  batchOverheadBytes,
  batchPrefixBytes,
  batchSizeAt,
  type FilePosition,
  MovingBatch,
  readBatchAt,
  VarveError,
} from '@varve/record'
import type { File } from '../storage/file-system.ts'
import { type Stretch, StretchReader } from './stretch-reader.ts'

/** Of a batch of any format: where its size and its magic stand. */
const batchLengthAt = 8
const magicAt = 16
const currentMagic = 2
/** No batch is smaller: that is one of magic 0 with an empty record. */
const batchBytesMin = 26

/** Why a scan stopped, and where: everything before `position` was visited. */
export interface ScanEnd {
  readonly position: FilePosition
  readonly stop: 'end' | 'incomplete' | 'corrupt' | 'visitor'
  /** For `incomplete` and `corrupt`, what is wrong at `position`. */
  readonly reason: string | null
}

export interface ScanOptions {
  /** Where to start: the first byte of a batch. @defaultValue 0 */
  readonly from?: FilePosition
  /** Where the data ends. @defaultValue the file's size */
  readonly to?: FilePosition
  /** Check every batch's CRC and header. @defaultValue true */
  readonly validate?: boolean
  /**
   * Called with each stretch of batches that were visited, and where it lies in the file. Its
   * memory is not used again before the promise resolves, nor does the scan end.
   * @defaultValue nothing
   */
  readonly onVisited?: (bytes: Buffer, position: FilePosition) => Promise<void>
}

/** Called for each batch, with the memory in which it lies and where it starts there. */
export type BatchVisitor = (batch: Batch, memory: Buffer, start: number) => boolean

/**
 * Visits the batches of a `.log` file in order, reading it once; what comes next is read while a
 * stretch of batches is visited. A batch is a view of memory that the scan uses again, and may be
 * the same object as the one before: it is valid only during the visit. The visitor stops the scan
 * by returning false; a VarveError that it throws counts as damage at that batch.
 *
 * Memory stays in proportion: a few MiB, and one batch where that is larger, and no batch is
 * believed to be larger than what the file still holds.
 */
export async function scanBatches(
  file: File,
  visit: BatchVisitor,
  options: ScanOptions = {},
): Promise<ScanEnd> {
  const { from = 0, to = file.sizeBytes(), validate = true, onVisited } = options
  if (to <= from) return ended(from, 'end', null)
  const reader = new StretchReader(file, from, to)
  const visits: Visits = { visit, validate, moving: new MovingBatch() }
  try {
    let stretch = await reader.first()
    for (;;) {
      const { memory, filled, position, isShort } = stretch
      if (isShort) return shortfall(position, to, 'the file is shorter than expected')
      const whole = wholeBatches(memory, filled)
      if (whole > 0) await reader.readAhead(whole)
      const visited = visitComplete(stretch, whole, visits)
      const { bytes, needed, end } = visited
      const using = bytes > 0 ? onVisited?.(memory.subarray(0, bytes), position) : undefined
      if (end !== null) {
        await using
        return end
      }
      const left = to - position - bytes
      if (left === 0 || needed > left) {
        await using
        const reason = `a batch of ${needed} bytes, ${left} are there`
        return shortfall(position + bytes, to, reason)
      }
      stretch = await reader.next(bytes, needed, using)
    }
  } finally {
    await reader.settle()
  }
}

/**
 * How many of the bytes are whole batches, by their size fields alone: where the next stretch will
 * begin, unless something is wrong before.
 */
function wholeBatches(memory: Buffer, filled: number): number {
  let end = 0
  while (filled - end >= batchPrefixBytes) {
    const size = sizeAt(memory, end)
    if (size < batchBytesMin || size > filled - end) break
    end += size
  }
  return end
}

function sizeAt(memory: Buffer, start: number): number {
  return batchOverheadBytes + memory.readInt32BE(start + batchLengthAt)
}

interface Visits {
  readonly visit: BatchVisitor
  readonly validate: boolean
  readonly moving: MovingBatch
}

interface Visited {
  /** Consumed. */
  readonly bytes: number
  /** What the next batch takes, as far as can be told: its size, or at least a prefix. */
  readonly needed: number
  readonly end: ScanEnd | null
}

/** Visits every batch that lies wholly in the stretch: in its first `whole` bytes. */
function visitComplete(
  { memory, filled, position }: Stretch,
  whole: number,
  { visit, validate, moving }: Visits,
): Visited {
  let start = 0
  try {
    while (start < whole) {
      const end = start + sizeAt(memory, start)
      let batch: Batch = moving
      if (memory[start + magicAt] === currentMagic) {
        moving.moveTo(memory, start, end, position + start)
      } else {
        batch = otherBatch(memory, start, end, position + start)
      }
      if (validate) batch.validate()
      if (!visit(batch, memory, start)) {
        return { bytes: start, needed: 0, end: ended(position + start, 'visitor', null) }
      }
      start = end
    }
    const size = batchSizeAt(memory, start, filled, position + start)
    return { bytes: start, needed: size ?? filled - start + 1, end: null }
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    return { bytes: start, needed: 0, end: ended(position + start, 'corrupt', error.message) }
  }
}

/** Of the old formats; anything else throws. */
function otherBatch(memory: Buffer, start: number, end: number, position: FilePosition): Batch {
  const batch = readBatchAt(memory, start, end, position)
  assert(batch !== null, 'all of the batch is there')
  return batch
}

function ended(position: FilePosition, stop: ScanEnd['stop'], reason: string | null): ScanEnd {
  return { position, stop, reason }
}

function shortfall(position: FilePosition, to: FilePosition, reason: string): ScanEnd {
  return ended(position, position === to ? 'end' : 'incomplete', reason)
}

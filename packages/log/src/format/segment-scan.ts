import { type Batch, batchSizeAt, type FilePosition, readBatchAt, VarveError } from '@varve/record'
import type { File } from '../storage/file-system.ts'

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
}

/**
 * Read at once: large enough that the thread-pool hop costs little, small enough to stay cached.
 */
const chunkBytes = 1024 * 1024
/** Below this a read is shorter than the hop through the thread pool. */
const synchronousBytes = 64 * 1024

/**
 * Visits the batches of a `.log` file in order, reading it once. A batch is a view of memory that
 * the scan uses again: it is valid only during the visit. The visitor stops the scan by returning
 * false; a VarveError that it throws counts as damage at that batch.
 *
 * Memory stays in proportion: a chunk, or one batch where that is larger, and no batch is believed
 * to be larger than what the file still holds.
 */
export async function scanBatches(
  file: File,
  visit: (batch: Batch) => boolean,
  options: ScanOptions = {},
): Promise<ScanEnd> {
  const { from = 0, to = file.sizeBytes(), validate = true } = options
  let buffer: Buffer = Buffer.allocUnsafe(Math.max(0, Math.min(chunkBytes, to - from)))
  let position = from
  let filled = 0
  for (;;) {
    const wanted = Math.min(buffer.length, to - position)
    if (filled < wanted) {
      const rest = buffer.subarray(filled, wanted)
      const read =
        rest.length <= synchronousBytes
          ? file.readSync(rest, position + filled)
          : await file.read(rest, position + filled)
      filled += read
      if (read < rest.length) return shortfall(position, to, 'the file is shorter than expected')
    }
    const visited = visitComplete(buffer, filled, position, visit, validate)
    if (visited.end !== null) return visited.end
    position += visited.bytes
    const left = to - position
    if (left === 0) return { position, stop: 'end', reason: null }
    if (visited.needed > left) {
      return shortfall(position, to, `a batch of ${visited.needed} bytes, ${left} are there`)
    }
    filled -= visited.bytes
    const next = visited.needed > buffer.length ? Buffer.allocUnsafe(visited.needed) : buffer
    buffer.copy(next, 0, visited.bytes, visited.bytes + filled)
    buffer = next
  }
}

interface Visited {
  /** Consumed. */
  readonly bytes: number
  /** What the next batch takes, as far as can be told: its size, or at least a prefix. */
  readonly needed: number
  readonly end: ScanEnd | null
}

/** Visits every batch that lies wholly in the buffer. */
function visitComplete(
  buffer: Buffer,
  filled: number,
  position: FilePosition,
  visit: (batch: Batch) => boolean,
  validate: boolean,
): Visited {
  let start = 0
  try {
    for (;;) {
      const size = batchSizeAt(buffer, start, filled, position + start)
      if (size === null || start + size > filled) {
        return { bytes: start, needed: size ?? filled - start + 1, end: null }
      }
      const batch = readBatchAt(buffer, start, filled, position + start)
      if (batch === null) return { bytes: start, needed: size, end: null }
      if (validate) batch.validate()
      if (!visit(batch)) {
        return { bytes: start, needed: 0, end: ended(position + start, 'visitor', null) }
      }
      start += size
    }
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    return { bytes: start, needed: 0, end: ended(position + start, 'corrupt', error.message) }
  }
}

function ended(position: FilePosition, stop: ScanEnd['stop'], reason: string | null): ScanEnd {
  return { position, stop, reason }
}

function shortfall(position: FilePosition, to: FilePosition, reason: string): ScanEnd {
  return ended(position, position === to ? 'end' : 'incomplete', reason)
}

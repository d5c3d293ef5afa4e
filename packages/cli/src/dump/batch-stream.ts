import type { File } from '@varve/log'
import { type Batch, batchSizeAt, CorruptBatchError, readBatchAt } from '@varve/record'

/** Where the batches of a file ended, and why. */
export interface StreamEnd {
  readonly position: number
  /** What is wrong there; null at the file's end. */
  readonly problem: string | null
}

const chunkBytes = 1024 * 1024

/**
 * The batches of a `.log` file, one by one, for whoever has to wait between them. Only the framing
 * is checked: sizes, and what no header can say. A batch is a view of memory that is used again for
 * what comes next, so it is valid until the next one is asked for.
 *
 * Memory: a chunk, or one batch where that is larger; a size is believed up to what the file holds.
 */
export async function* streamBatches(
  file: File,
  sizeBytes: number,
): AsyncGenerator<Batch, StreamEnd, undefined> {
  let buffer = Buffer.allocUnsafe(Math.min(chunkBytes, sizeBytes))
  let position = 0
  let start = 0
  let end = 0
  for (;;) {
    const left = sizeBytes - position
    if (left === 0) return { position, problem: null }
    const { batch, problem, needed } = nextBatch(buffer, start, end, position)
    if (problem !== null) return { position, problem }
    if (batch !== null) {
      yield batch
      start += batch.sizeBytes
      position += batch.sizeBytes
      continue
    }
    if (needed > left) {
      return { position, problem: `a batch of ${needed} bytes, of which ${left} are there` }
    }
    const filled = end - start
    const next = needed > buffer.length ? Buffer.allocUnsafe(needed) : buffer
    buffer.copy(next, 0, start, end)
    buffer = next
    const wanted = Math.min(buffer.length, left)
    const read = await file.read(buffer.subarray(filled, wanted), position + filled)
    start = 0
    end = filled + read
    if (end < wanted) return { position, problem: 'the file became shorter while it was read' }
  }
}

interface Next {
  readonly batch: Batch | null
  readonly problem: string | null
  /** Without a batch: how many bytes there must be to look again. */
  readonly needed: number
}

function nextBatch(buffer: Buffer, start: number, end: number, position: number): Next {
  try {
    const batch = readBatchAt(buffer, start, end, position)
    if (batch !== null) return { batch, problem: null, needed: 0 }
    const size = batchSizeAt(buffer, start, end, position)
    return { batch: null, problem: null, needed: size ?? smallestPrefix }
  } catch (error) {
    if (!(error instanceof CorruptBatchError)) throw error
    return { batch: null, problem: error.reason, needed: 0 }
  }
}

/** So much of a batch says how large it is. */
const smallestPrefix = 17

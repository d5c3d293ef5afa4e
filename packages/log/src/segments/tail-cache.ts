import type { FilePosition, Offset } from '@varve/record'
import type { Tail, TailMemory } from '../storage/tail-memory.ts'

/** What the cache holds at most; a follower that falls further behind reads the file. */
const cacheBytesMax = 4 * 2 ** 20
/** Small groups take more memory than their bytes, and each is looked at on the way to an older. */
const chunksMax = 4096

interface Chunk {
  readonly segment: Offset
  readonly position: FilePosition
  readonly bytes: Buffer
}

/**
 * The newest bytes of the log, kept in memory while somebody follows its tail, so that followers
 * are served without reading the file. Costs nothing when nobody follows; all logs of a directory
 * share a bound.
 */
export class TailCache implements Tail {
  readonly #memory: TailMemory
  #chunks: Chunk[] = []
  #sizeBytes = 0
  #followers = 0

  constructor(memory: TailMemory) {
    this.#memory = memory
  }

  follow(): void {
    this.#followers++
  }

  unfollow(): void {
    this.#followers--
    if (this.#followers === 0) this.clear()
  }

  /** Lets go of everything; goes on with what is added from now on. */
  clear(): void {
    this.#memory.shrank(this, this.#sizeBytes, true)
    this.#chunks = []
    this.#sizeBytes = 0
  }

  /** Copies what was written at `position` of a segment, if anybody wants it. */
  add(segment: Offset, position: FilePosition, bytes: Buffer): void {
    if (this.#followers === 0 || bytes.length > cacheBytesMax) return
    this.#chunks.push({ segment, position, bytes: Buffer.from(bytes) })
    this.#sizeBytes += bytes.length
    let dropped = 0
    while (this.#sizeBytes > cacheBytesMax || this.#chunks.length > chunksMax) {
      dropped += this.dropOldest()
    }
    this.#memory.shrank(this, dropped, false)
    this.#memory.grew(this, bytes.length)
  }

  dropOldest(): number {
    const dropped = this.#chunks.shift()?.bytes.length ?? 0
    this.#sizeBytes -= dropped
    return dropped
  }

  /** The bytes from `position` on, up to `limit`, as far as one chunk holds them; null without. */
  read(segment: Offset, position: FilePosition, limit: FilePosition): Buffer | null {
    const chunk = this.#chunks[this.#indexOf(segment, position)]
    return chunk === undefined ? null : partOf(chunk, segment, position, limit)
  }

  /**
   * As `read`, and as many chunks behind it as it takes to have `wantedBytes`, one after the other.
   * A chunk holds whole batches.
   */
  readOn(
    segment: Offset,
    position: FilePosition,
    limit: FilePosition,
    wantedBytes: number,
  ): readonly Buffer[] | null {
    let index = this.#indexOf(segment, position)
    const pieces: Buffer[] = []
    let at = position
    while (at < limit && at - position < wantedBytes) {
      const chunk = this.#chunks[index++]
      const piece = chunk === undefined ? null : partOf(chunk, segment, at, limit)
      if (piece === null) break
      pieces.push(piece)
      at += piece.length
    }
    return pieces.length === 0 ? null : pieces
  }

  /** Of the last chunk that begins at a place or before it; -1 without one. */
  #indexOf(segment: Offset, position: FilePosition): number {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const chunk = this.#chunks[middle] as Chunk
      const isBefore =
        chunk.segment < segment || (chunk.segment === segment && chunk.position <= position)
      if (isBefore) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

function partOf(
  chunk: Chunk,
  segment: Offset,
  position: FilePosition,
  limit: FilePosition,
): Buffer | null {
  const start = position - chunk.position
  if (chunk.segment !== segment || start < 0 || start >= chunk.bytes.length) return null
  return chunk.bytes.subarray(start, limit - chunk.position)
}

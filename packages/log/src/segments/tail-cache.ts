import type { FilePosition, Offset } from '@varve/record'

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
 * are served without reading the file. Costs nothing when nobody follows.
 */
export class TailCache {
  #chunks: Chunk[] = []
  #sizeBytes = 0
  #followers = 0

  follow(): void {
    this.#followers++
  }

  unfollow(): void {
    this.#followers--
    if (this.#followers > 0) return
    this.#chunks = []
    this.#sizeBytes = 0
  }

  /** Copies what was written at `position` of a segment, if anybody wants it. */
  add(segment: Offset, position: FilePosition, bytes: Buffer): void {
    if (this.#followers === 0 || bytes.length > cacheBytesMax) return
    this.#chunks.push({ segment, position, bytes: Buffer.from(bytes) })
    this.#sizeBytes += bytes.length
    while (this.#sizeBytes > cacheBytesMax || this.#chunks.length > chunksMax) {
      const dropped = this.#chunks.shift()
      this.#sizeBytes -= dropped?.bytes.length ?? this.#sizeBytes
    }
  }

  /** The bytes from `position` on, up to `limit`, as far as one chunk holds them; null without. */
  read(segment: Offset, position: FilePosition, limit: FilePosition): Buffer | null {
    for (let index = this.#chunks.length - 1; index >= 0; index--) {
      const chunk = this.#chunks[index]
      if (chunk === undefined || chunk.segment < segment) return null
      if (chunk.segment > segment || chunk.position > position) continue
      const start = position - chunk.position
      if (start >= chunk.bytes.length) return null
      return chunk.bytes.subarray(start, limit - chunk.position)
    }
    return null
  }
}

import type { FrameMemory } from '../protocol/frame-splitter.ts'

/** Smaller frames cost the collector little. */
const pooledBytesMin = 8 * 1024
/** Larger ones are rare. */
const pooledBytesMax = 4 * 2 ** 20
/** Kept for frames to come, of all connections. */
const keptBytesMax = 16 * 2 ** 20

/**
 * Memory of requests and answers that is used again, in sizes of powers of two: a server that takes
 * in gigabytes would have the collector run, and the system clear pages, for every one of them.
 */
export class FramePool implements FrameMemory {
  /** By size. */
  readonly #free = new Map<number, ArrayBufferLike[]>()
  /** All that are given out, and where they were not given back are forgotten. */
  readonly #out = new WeakSet<ArrayBufferLike>()
  #keptBytes = 0

  /** Bytes that wait for their next use. */
  get keptBytes(): number {
    return this.#keptBytes
  }

  take(sizeBytes: number): Buffer {
    if (sizeBytes < pooledBytesMin) return Buffer.allocUnsafe(sizeBytes)
    if (sizeBytes > pooledBytesMax) return Buffer.allocUnsafeSlow(sizeBytes)
    const roundBytes = 2 ** Math.ceil(Math.log2(sizeBytes))
    const found = this.#free.get(roundBytes)?.pop()
    if (found !== undefined) this.#keptBytes -= roundBytes
    const memory = found ?? Buffer.allocUnsafeSlow(roundBytes).buffer
    this.#out.add(memory)
    return Buffer.from(memory)
  }

  giveBack({ buffer }: Uint8Array): void {
    // What did not come from here, or was given back already, is left to the collector.
    if (!this.#out.delete(buffer)) return
    if (this.#keptBytes + buffer.byteLength > keptBytesMax) return
    this.#keptBytes += buffer.byteLength
    const known = this.#free.get(buffer.byteLength)
    if (known === undefined) this.#free.set(buffer.byteLength, [buffer])
    else known.push(buffer)
  }
}

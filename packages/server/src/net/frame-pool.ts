import type { FrameMemory } from '../protocol/frame-splitter.ts'

/** Smaller frames cost the collector little. */
const pooledBytesMin = 8 * 1024
/** Larger ones are rare. */
const pooledBytesMax = 4 * 2 ** 20
/** Kept for those to come, of all connections: 16 partitions of an answer, a MiB of each. */
const keptBytesMax = 18 * 2 ** 20

/**
 * Memory of requests and answers that is used again, in few sizes: a server that takes
 * in gigabytes would have the collector run, and the system clear pages, for every one of them.
 */
export class FramePool implements FrameMemory {
  /** By size; the one that was asked for last stands at the end. */
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
    const roundBytes = roundedUp(sizeBytes)
    const found = this.#ofSize(roundBytes).pop() ?? this.#larger(roundBytes)
    if (found !== undefined) this.#keptBytes -= found.byteLength
    const memory = found ?? Buffer.allocUnsafeSlow(roundBytes).buffer
    this.#out.add(memory)
    return Buffer.from(memory)
  }

  giveBack({ buffer }: Uint8Array): void {
    // What did not come from here, or was given back already, is left to the collector.
    if (!this.#out.delete(buffer)) return
    const known = this.#free.get(buffer.byteLength)
    if (known === undefined) return
    this.#makeRoom(buffer.byteLength)
    if (this.#keptBytes + buffer.byteLength > keptBytesMax) return
    this.#keptBytes += buffer.byteLength
    known.push(buffer)
  }

  #ofSize(roundBytes: number): ArrayBufferLike[] {
    const known = this.#free.get(roundBytes) ?? []
    this.#free.delete(roundBytes)
    this.#free.set(roundBytes, known)
    return known
  }

  /** The next best that is kept: what is taken once in a size costs the collector as much. */
  #larger(roundBytes: number): ArrayBufferLike | undefined {
    let best = 0
    for (const [size, kept] of this.#free) {
      const fits = size > roundBytes && size <= 2 * roundBytes && kept.length > 0
      if (fits && (best === 0 || size < best)) best = size
    }
    return best === 0 ? undefined : this.#free.get(best)?.pop()
  }

  /** Lets go of sizes that have not been asked for since this one was. */
  #makeRoom(sizeBytes: number): void {
    for (const [other, kept] of this.#free) {
      if (other === sizeBytes) return
      while (kept.length > 0 && this.#keptBytes + sizeBytes > keptBytesMax) {
        kept.pop()
        this.#keptBytes -= other
      }
      if (this.#keptBytes + sizeBytes <= keptBytesMax) return
    }
  }
}

/**
 * To one of eight sizes between one power of two and the next: what is read of a partition is a MiB
 * and a little, mostly, and of twice as much half would be wasted.
 */
function roundedUp(sizeBytes: number): number {
  const step = 2 ** (Math.floor(Math.log2(sizeBytes)) - 3)
  return Math.ceil(sizeBytes / step) * step
}

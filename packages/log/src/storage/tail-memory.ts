import { strict as assert } from 'node:assert'

/** Of a data directory: sixteen busy logs whose tails are followed, with 4 MiB each. */
export const defaultTailBytesMax: number = 64 * 2 ** 20

/** The newest bytes of one log, which can be done without. */
export interface Tail {
  /** Lets go of the oldest of its pieces; returns how many bytes that were, 0 when it has none. */
  dropOldest(): number
}

/**
 * What the tails of all logs of a data directory take in memory, at most `bytesMax`. When there is
 * no room left, the log that has not grown for the longest time loses its oldest bytes: its
 * followers have most likely read them.
 */
export class TailMemory {
  readonly #bytesMax: number
  /** The one that grew last stands last. */
  readonly #tails = new Set<Tail>()
  #sizeBytes = 0

  constructor(bytesMax: number = defaultTailBytesMax) {
    this.#bytesMax = bytesMax
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** A tail has grown; it, or others, may be made smaller at once. */
  grew(tail: Tail, bytes: number): void {
    this.#sizeBytes += bytes
    this.#tails.delete(tail)
    this.#tails.add(tail)
    for (const oldest of this.#tails) {
      while (this.#sizeBytes > this.#bytesMax) {
        const dropped = oldest.dropOldest()
        if (dropped === 0) break
        this.#sizeBytes -= dropped
      }
      if (this.#sizeBytes <= this.#bytesMax) return
      this.#tails.delete(oldest)
    }
  }

  /** A tail has let go of bytes by itself. */
  shrank(tail: Tail, bytes: number, isEmpty: boolean): void {
    assert(bytes <= this.#sizeBytes, 'what is let go of was there')
    this.#sizeBytes -= bytes
    if (isEmpty) this.#tails.delete(tail)
  }
}

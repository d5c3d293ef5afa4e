/** The next batch may be a little larger. */
const spare = 1.25

/**
 * Memory that batches are decompressed into one after the other, by whoever is done with the
 * records of one before it asks for those of the next: fresh memory for each batch has to be
 * mapped, and collected. It grows to what the largest batch needed.
 *
 * Records that were read out of it, and everything that was taken from them without a copy, are
 * overwritten when it is used again. Codecs that cannot use it (gzip, snappy) leave it alone.
 */
export class DecompressionMemory {
  #bytes: Buffer = Buffer.alloc(0)
  readonly #keptBytesMax: number

  /** @param keptBytesMax larger batches get memory of their own, which is not kept */
  constructor(keptBytesMax: number = Number.POSITIVE_INFINITY) {
    this.#keptBytesMax = keptBytesMax
  }

  /** @internal What may be written to. */
  get bytes(): Buffer {
    return this.#bytes
  }

  /** @internal Whether a batch has been decompressed, so that it has a size. */
  get isUsed(): boolean {
    return this.#bytes.length > 0
  }

  /** @internal Takes note of what came out, and has room for as much the next time. */
  used(output: Buffer): void {
    if (output.buffer === this.#bytes.buffer || output.length <= this.#bytes.length) return
    const sizeBytes = Math.ceil(output.length * spare)
    if (sizeBytes <= this.#keptBytesMax) this.#bytes = Buffer.allocUnsafeSlow(sizeBytes)
  }
}

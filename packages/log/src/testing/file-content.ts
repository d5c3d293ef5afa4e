/**
 * The bytes of a simulated file. A clone shares them until either side is written to, so that a
 * crash state costs only what differs from its neighbours.
 */
export class FileContent {
  #bytes: Buffer
  #sizeBytes: number
  /** Whether another FileContent has the same buffer; then a change begins with a copy. */
  #isShared = false

  /** Takes `bytes` over: the caller changes them no more. */
  constructor(bytes: Buffer = emptyBuffer) {
    this.#bytes = bytes
    this.#sizeBytes = bytes.length
    this.#isShared = bytes === emptyBuffer
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  clone(): FileContent {
    const clone = new FileContent()
    clone.#bytes = this.#bytes
    clone.#sizeBytes = this.#sizeBytes
    clone.#isShared = true
    this.#isShared = true
    return clone
  }

  /** A copy of all bytes. */
  toBuffer(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#sizeBytes))
  }

  /** Fills `target` as far as the content goes. */
  read(target: Uint8Array, position: number): number {
    if (position >= this.#sizeBytes) return 0
    const end = Math.min(position + target.length, this.#sizeBytes)
    return this.#bytes.copy(target, 0, position, end)
  }

  /** Writes past the end leave zeros between. */
  write(source: Uint8Array, position: number): void {
    if (source.length === 0) return
    const end = position + source.length
    this.#makeOwn(end)
    this.#bytes.set(source, position)
    if (end > this.#sizeBytes) this.#sizeBytes = end
  }

  /** Cuts, or extends with zeros. */
  truncate(sizeBytes: number): void {
    if (sizeBytes === this.#sizeBytes) return
    if (sizeBytes > this.#sizeBytes) this.#makeOwn(sizeBytes)
    else if (!this.#isShared) this.#bytes.fill(0, sizeBytes, this.#sizeBytes)
    else this.#copy(sizeBytes, sizeBytes)
    this.#sizeBytes = sizeBytes
  }

  flipBit(bit: number): void {
    const position = Math.floor(bit / 8)
    if (position >= this.#sizeBytes) throw new RangeError(`the file has no bit ${bit}`)
    this.#makeOwn(this.#sizeBytes)
    this.#bytes[position] = (this.#bytes[position] ?? 0) ^ (1 << (bit % 8))
  }

  // Invariant: an own buffer has zeros from sizeBytes on, so that growing needs no clearing.
  #makeOwn(sizeBytes: number): void {
    if (this.#isShared || sizeBytes > this.#bytes.length) {
      this.#copy(Math.max(sizeBytes, this.#sizeBytes), this.#sizeBytes)
    }
  }

  #copy(neededBytes: number, keptBytes: number): void {
    // Doubled when it grows, so that a file of many small appends is not copied for each.
    const capacity =
      neededBytes > this.#bytes.length
        ? Math.max(neededBytes, Math.min(2 * neededBytes, neededBytes + growthBytesMax), 256)
        : neededBytes
    const bytes = Buffer.alloc(capacity)
    this.#bytes.copy(bytes, 0, 0, keptBytes)
    this.#bytes = bytes
    this.#isShared = false
  }
}

const emptyBuffer = Buffer.alloc(0)
const growthBytesMax = 16 * 1024 * 1024

/** Memory is given out of pieces of this size: a piece stays as long as any part of it is used. */
const pieceBytes = 64 * 1024
/** A larger part gets memory of its own. */
const partBytesMax = 16 * 1024
/** Buffers are made in sizes that are multiples of this, so that they fit again. */
const granuleBytes = 4 * 1024
/** So many that nobody uses are kept. */
const spareMax = 16

/**
 * Memory for reading at an offset. A buffer of some KiB takes the system and the collector longer
 * than filling it, so what can be used again is.
 */
export class ReadingMemory {
  #scratch: Buffer = emptyBytes
  #piece: Buffer = emptyBytes
  readonly #spare: Buffer[] = []

  /** To be read into and looked at, until the next call. */
  scratch(length: number): Buffer {
    if (this.#scratch.length < length) this.#scratch = Buffer.allocUnsafeSlow(rounded(length))
    return this.#scratch.subarray(0, length)
  }

  /** A copy for somebody else, who may keep it. */
  copied(bytes: Buffer): Buffer {
    const { length } = bytes
    if (length > partBytesMax) return copiedInto(Buffer.allocUnsafeSlow(length), bytes)
    if (this.#piece.length < length) this.#piece = Buffer.allocUnsafeSlow(pieceBytes)
    const part = copiedInto(this.#piece.subarray(0, length), bytes)
    this.#piece = this.#piece.subarray(length)
    return part
  }

  /** A copy that comes back by {@link giveBack}, if need be in a larger buffer. */
  borrowed(bytes: Buffer): Buffer {
    const { length } = bytes
    const fitting = this.#spare.findIndex((one) => one.length >= length && one.length <= 2 * length)
    const [found] = fitting < 0 ? [] : this.#spare.splice(fitting, 1)
    const memory = found ?? Buffer.allocUnsafeSlow(rounded(length))
    bytes.copy(memory)
    return memory
  }

  giveBack(memory: Buffer): void {
    if (this.#spare.length < spareMax) this.#spare.push(memory)
  }
}

const emptyBytes = Buffer.alloc(0)

function copiedInto(target: Buffer, bytes: Buffer): Buffer {
  bytes.copy(target)
  return target
}

function rounded(length: number): number {
  return Math.ceil(length / granuleBytes) * granuleBytes
}

import { FrameSizeError } from './protocol-errors.ts'

const headBytes = 4
/** The first memory of a frame that does not come in one piece. */
const firstBytes = 4 * 1024
/** Memory for at most so many times what has come is asked for ahead of it. */
const growth = 16

const nothing: Buffer = Buffer.alloc(0)

/** Where memory for frames comes from. */
export interface FrameMemory {
  /** At least so many bytes, which nobody else uses. */
  take(sizeBytes: number): Buffer
  /** A frame, or memory for one, that nobody uses any more. */
  giveBack(memory: Buffer): void
}

const freshMemory: FrameMemory = {
  take: (sizeBytes) => Buffer.allocUnsafeSlow(sizeBytes),
  giveBack: () => undefined,
}

/**
 * Cuts what comes from a connection into frames, each an int32 with its size and so many bytes.
 * Pieces may end anywhere. A frame that lies in one piece is a view of it, unless the piece's
 * memory is used again; others are put together in memory that grows with what has come, not with
 * what was announced. Of a frame that has begun, what is still to come may be put in its place by
 * whoever reads it, without a piece: see `room`.
 */
export class FrameSplitter {
  /** The largest size that is accepted; may be changed between pieces. */
  maxFrameBytes: number
  /**
   * Whether the memory of what is pushed is used again: frames are copied out of it then, else they
   * are views of it.
   */
  isPieceReused = false
  readonly #memory: FrameMemory
  #failure: FrameSizeError | null = null
  /** The first bytes of a size that was cut in two, and how many they are. */
  readonly #head = Buffer.alloc(headBytes)
  #headFilled = 0
  /** The frame that is being put together, and how much of it is there. */
  #frame: Buffer = nothing
  #frameBytes = -1
  #frameFilled = 0

  /** @param memory for frames; by default new memory for each */
  constructor(maxFrameBytes: number, memory: FrameMemory = freshMemory) {
    this.maxFrameBytes = maxFrameBytes
    this.#memory = memory
  }

  /** Bytes of memory that the frame that is not complete takes. */
  get heldBytes(): number {
    return this.#frame.length
  }

  /** Whether a frame has begun that is not complete: a peer that ends here ends too early. */
  get isInsideFrame(): boolean {
    return this.#headFilled > 0 || this.#frameBytes >= 0
  }

  /** Set once a size is not accepted: nothing that follows it means anything. */
  get failure(): FrameSizeError | null {
    return this.#failure
  }

  /** Where the next bytes of the frame belong that has begun; null where there is none. */
  get room(): Buffer | null {
    if (this.#frameFilled === 0) return null
    return this.#frame.subarray(this.#frameFilled, this.#frameBytes)
  }

  /** So many bytes were put into `room`; with the frame, if that completes it. */
  filled(count: number): readonly Buffer[] {
    this.#frameFilled += count
    const frames: Buffer[] = []
    if (this.#frameFilled === this.#frameBytes) this.#complete(this.#frame, frames)
    else if (this.#frameFilled === this.#frame.length) this.#makeRoom(1)
    return frames
  }

  /** The frames that a piece completes, without their sizes; none any more after a failure. */
  push(piece: Buffer): readonly Buffer[] {
    const frames: Buffer[] = []
    let at = 0
    while (at < piece.length && this.#failure === null) {
      at = this.#frameBytes < 0 ? this.#takeHead(piece, at) : this.#takeBody(piece, at, frames)
      // A frame without a body is complete with its size.
      if (this.#frameBytes === 0) this.#complete(nothing, frames)
    }
    return frames
  }

  /** Gives back what is there of a frame that will not be completed. */
  abandon(): void {
    this.#memory.giveBack(this.#frame)
    this.#frame = nothing
    this.#frameFilled = 0
    this.#frameBytes = -1
  }

  /** Reads the size, or what is there of it. */
  #takeHead(piece: Buffer, at: number): number {
    if (this.#headFilled === 0 && piece.length - at >= headBytes) {
      this.#expect(piece.readInt32BE(at))
      return at + headBytes
    }
    const end = Math.min(piece.length, at + headBytes - this.#headFilled)
    this.#headFilled += piece.copy(this.#head, this.#headFilled, at, end)
    if (this.#headFilled === headBytes) {
      this.#headFilled = 0
      this.#expect(this.#head.readInt32BE(0))
    }
    return end
  }

  #expect(sizeBytes: number): void {
    if (sizeBytes < 0 || sizeBytes > this.maxFrameBytes) {
      this.#failure = new FrameSizeError(sizeBytes, this.maxFrameBytes)
    } else this.#frameBytes = sizeBytes
  }

  #takeBody(piece: Buffer, at: number, frames: Buffer[]): number {
    const sizeBytes = this.#frameBytes
    const end = Math.min(piece.length, at + sizeBytes - this.#frameFilled)
    const isWhole = this.#frameFilled === 0 && end - at === sizeBytes
    if (isWhole && !this.isPieceReused) {
      this.#complete(piece.subarray(at, end), frames)
      return end
    }
    if (isWhole) this.#frame = this.#memory.take(sizeBytes)
    else this.#makeRoom(end - at)
    this.#frameFilled += piece.copy(this.#frame, this.#frameFilled, at, end)
    if (this.#frameFilled === sizeBytes) this.#complete(this.#frame, frames)
    // Whoever reads into `room` needs some: a read of nothing fails.
    else if (this.isPieceReused && this.#frameFilled === this.#frame.length) this.#makeRoom(1)
    return end
  }

  /** Makes room for more of the frame; in the end for all of it. */
  #makeRoom(moreBytes: number): void {
    const filled = this.#frameFilled + moreBytes
    if (filled <= this.#frame.length) return
    const ahead = Math.max(firstBytes, filled, this.#frameFilled * growth)
    const larger = this.#memory.take(Math.min(ahead, this.#frameBytes))
    this.#frame.copy(larger, 0, 0, this.#frameFilled)
    this.#memory.giveBack(this.#frame)
    this.#frame = larger
  }

  #complete(frame: Buffer, frames: Buffer[]): void {
    const { length } = frame
    frames.push(length > this.#frameBytes ? frame.subarray(0, this.#frameBytes) : frame)
    this.#frame = nothing
    this.#frameBytes = -1
    this.#frameFilled = 0
  }
}

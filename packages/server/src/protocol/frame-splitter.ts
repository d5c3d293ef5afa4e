import { FrameSizeError } from './protocol-errors.ts'

const headBytes = 4
/** The first memory of a frame that does not come in one piece. */
const firstBytes = 4 * 1024
/** Memory for at most so many times what has come is asked for ahead of it. */
const growth = 16

const nothing: Buffer = Buffer.alloc(0)

/**
 * Cuts what comes from a connection into frames, each an int32 with its size and so many bytes.
 * Pieces may end anywhere. A frame that lies in one piece is a view of it, so what is pushed must
 * not be used again; others are put together in memory that grows with what has come, not with what
 * was announced.
 */
export class FrameSplitter {
  /** The largest size that is accepted; may be changed between pieces. */
  maxFrameBytes: number
  #failure: FrameSizeError | null = null
  /** The first bytes of a size that was cut in two, and how many they are. */
  readonly #head = Buffer.alloc(headBytes)
  #headFilled = 0
  /** The frame that is being put together, and how much of it is there. */
  #frame: Buffer = nothing
  #frameBytes = -1
  #frameFilled = 0

  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes
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
    if (this.#frameFilled === 0 && end - at === sizeBytes) {
      this.#complete(piece.subarray(at, end), frames)
      return end
    }
    this.#makeRoom(end - at)
    this.#frameFilled += piece.copy(this.#frame, this.#frameFilled, at, end)
    if (this.#frameFilled === sizeBytes) this.#complete(this.#frame, frames)
    return end
  }

  /** Makes room for more of the frame; in the end for exactly all of it. */
  #makeRoom(moreBytes: number): void {
    const filled = this.#frameFilled + moreBytes
    if (filled <= this.#frame.length) return
    const ahead = Math.max(firstBytes, filled, this.#frameFilled * growth)
    const larger = Buffer.allocUnsafeSlow(Math.min(ahead, this.#frameBytes))
    this.#frame.copy(larger, 0, 0, this.#frameFilled)
    this.#frame = larger
  }

  #complete(frame: Buffer, frames: Buffer[]): void {
    frames.push(frame)
    this.#frame = nothing
    this.#frameBytes = -1
    this.#frameFilled = 0
  }
}

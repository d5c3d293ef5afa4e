/** What an object's file has besides its content, and a little more. */
const marginBytes = 4096

/**
 * Memory for objects and their content, used again and again: fresh memory of some megabytes costs
 * as much as filling it, and stays with the process until it is collected.
 */
export class ObjectMemory {
  readonly #pieceBytes: number
  readonly #free: ArrayBuffer[] = []

  /** For objects of about so many bytes of content; larger ones get memory of their own. */
  constructor(objectBytes: number) {
    this.#pieceBytes = objectBytes + marginBytes
  }

  /** Nobody else has it: it may be handed to another thread. */
  take(bytes: number): Buffer {
    if (!this.hasRoomFor(bytes)) return Buffer.allocUnsafeSlow(bytes)
    const piece = this.#free.pop()
    if (piece === undefined) return Buffer.allocUnsafeSlow(this.#pieceBytes).subarray(0, bytes)
    return Buffer.from(piece, 0, bytes)
  }

  /** Whether so much fits into a piece that is used again. */
  hasRoomFor(bytes: number): boolean {
    return bytes <= this.#pieceBytes
  }

  /** For the next one. Nobody may look at it any more. What is not from here is left alone. */
  give({ buffer }: Uint8Array): void {
    if (!(buffer instanceof ArrayBuffer) || buffer.byteLength !== this.#pieceBytes) return
    if (!this.#free.includes(buffer)) this.#free.push(buffer)
  }
}

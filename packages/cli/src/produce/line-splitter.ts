import { InvalidArgumentError } from '@varve/record'

const newline = 0x0a

/**
 * Cuts bytes into lines at each newline. Bytes are only bytes: nothing is decoded, and a carriage
 * return belongs to its line. A line of any length up to the limit is put together in one copy.
 */
export class LineSplitter {
  readonly #lineBytesMax: number
  /** The beginning of a line that has not ended yet. */
  #pieces: Uint8Array[] = []
  #pieceBytes = 0
  #lines = 0

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax
  }

  /**
   * The lines that end in `chunk`; views of it where they lie within it. Throws at a line too long.
   */
  push(chunk: Uint8Array): readonly Uint8Array[] {
    const lines: Uint8Array[] = []
    let start = 0
    for (;;) {
      const end = chunk.indexOf(newline, start)
      if (end < 0) break
      lines.push(this.#complete(chunk.subarray(start, end)))
      start = end + 1
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start))
    return lines
  }

  /** The last line, where the input does not end with a newline. */
  end(): Uint8Array | null {
    return this.#pieceBytes === 0 ? null : this.#complete(new Uint8Array(0))
  }

  #complete(rest: Uint8Array): Uint8Array {
    this.#keep(rest)
    const line = this.#pieces.length === 1 ? rest : Buffer.concat(this.#pieces, this.#pieceBytes)
    this.#pieces = []
    this.#pieceBytes = 0
    this.#lines += 1
    return line
  }

  #keep(piece: Uint8Array): void {
    this.#requireFit(this.#pieceBytes + piece.length)
    this.#pieces.push(piece)
    this.#pieceBytes += piece.length
  }

  #requireFit(bytes: number): void {
    if (bytes <= this.#lineBytesMax) return
    throw new InvalidArgumentError(
      'the input',
      `line ${this.#lines + 1}`,
      `it has more than ${this.#lineBytesMax} bytes; --max-message-bytes raises the limit`,
    )
  }
}

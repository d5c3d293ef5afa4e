import { DecompressionLimitError, InvalidArgumentError } from '../errors.ts'

/** What a decoder is told, and how it says that the bytes are not its codec's. */
export interface DecodeContext {
  readonly maxBytes: number
  readonly magic: 0 | 1 | 2
  /** Memory for the output, where the codec can use it and it has room. */
  readonly into: Buffer | null
  fail(reason: string, cause?: unknown): never
}

export interface Codec {
  compress(bytes: Buffer, level?: number): Buffer
  /** Never keeps or touches much more memory than the lesser of its output and the limit. */
  decompress(bytes: Buffer, context: DecodeContext): Buffer
}

/** The same memory as a Buffer, which is what native packages want. */
export function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The level to use: `fallback` when there is none, an error when it is out of range. */
export function checkLevel(
  level: number | undefined,
  range: { readonly min: number; readonly max: number; readonly fallback: number },
): number {
  if (level === undefined) return range.fallback
  if (Number.isInteger(level) && level >= range.min && level <= range.max) return level
  throw new InvalidArgumentError(
    'compressionLevel',
    level,
    `must be an integer from ${range.min} to ${range.max}`,
  )
}

/** For codecs that have one way to compress. */
export function refuseLevel(level: number | undefined): void {
  if (level === undefined) return
  throw new InvalidArgumentError('compressionLevel', level, 'this codec has no levels')
}

/**
 * Output whose size is not known before its end. It grows by doubling, so a stream that claims much
 * and holds little costs little.
 */
export class DecodeOutput {
  readonly #maxBytes: number
  readonly #given: Buffer | null
  #bytes: Buffer
  #length = 0

  /** `given` is used first, where there is some. */
  constructor(expectedBytes: number, maxBytes: number, given: Buffer | null = null) {
    this.#maxBytes = maxBytes
    this.#given = given?.subarray(0, maxBytes) ?? null
    this.#bytes = this.#given ?? Buffer.allocUnsafe(Math.min(expectedBytes, maxBytes))
  }

  get length(): number {
    return this.#length
  }

  /** The memory as it is now; it moves when it grows. */
  get bytes(): Buffer {
    return this.#bytes
  }

  /** Room for `count` bytes more behind the present end. Throws a DecompressionLimitError. */
  reserve(count: number): void {
    const needed = this.#length + count
    if (needed > this.#maxBytes) throw new DecompressionLimitError(this.#maxBytes)
    if (needed <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(
      Math.min(Math.max(needed, this.#bytes.length * 2), this.#maxBytes),
    )
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
  }

  /** Says that `count` bytes were written behind the end, within what was reserved. */
  advance(count: number): void {
    this.#length += count
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Everything written. A view, unless that would keep more than twice the memory alive. */
  finish(): Buffer {
    const written = this.#bytes.subarray(0, this.#length)
    if (this.#bytes === this.#given) return written
    return this.#length * 2 < this.#bytes.length ? Buffer.from(written) : written
  }
}

import { strict as assert } from 'node:assert'
import type { FilePosition } from '@varve/record'
import type { File } from './file-system.ts'

/**
 * Read at once: large enough that the thread-pool hop costs little, small enough to stay cached.
 */
const windowBytes = 1024 * 1024
/** Below this a read is shorter than the hop through the thread pool. */
const synchronousBytes = 64 * 1024

/**
 * The part of a file that is in memory, moved along as reading goes on, so that looking a little
 * ahead or back costs no second read. Grows to the largest piece that is asked for, and no piece is
 * larger than what the file holds.
 */
export class FileWindow {
  readonly file: File
  /** Where the file ends, as far as this reader is concerned. */
  readonly end: FilePosition
  #bytes: Buffer
  #start: FilePosition = 0
  #filled = 0

  constructor(file: File, end: FilePosition) {
    this.file = file
    this.end = end
    this.#bytes = Buffer.allocUnsafe(Math.min(windowBytes, end))
  }

  /** What is in memory. Changes with {@link load}, and so do all views of it. */
  get bytes(): Buffer {
    return this.#bytes
  }

  /** Position in the file of the first byte in memory. */
  get start(): FilePosition {
    return this.#start
  }

  /** How many of the bytes in memory are the file's. */
  get filled(): number {
    return this.#filled
  }

  holds(position: FilePosition, length: number): boolean {
    return position >= this.#start && position + length <= this.#start + this.#filled
  }

  /** A view of bytes that are in memory. */
  view(position: FilePosition, length: number): Buffer {
    assert(this.holds(position, length), 'only what is in memory can be viewed')
    const at = position - this.#start
    return this.#bytes.subarray(at, at + length)
  }

  /**
   * Brings the window to `position`, with at least `length` bytes from there on. False when the
   * file, which may have been cut meanwhile, does not have them.
   */
  async load(position: FilePosition, length: number): Promise<boolean> {
    if (this.holds(position, length)) return true
    if (position + length > this.end) return false
    this.#moveTo(position, length)
    const wanted = Math.min(this.#bytes.length, this.end - position) - this.#filled
    const rest = this.#bytes.subarray(this.#filled, this.#filled + wanted)
    const from = position + this.#filled
    this.#filled +=
      rest.length <= synchronousBytes
        ? this.file.readSync(rest, from)
        : await this.file.read(rest, from)
    return this.#filled >= length
  }

  /** Keeps what is in memory already, at the front. */
  #moveTo(position: FilePosition, length: number): void {
    const at = position - this.#start
    const kept = at >= 0 && at < this.#filled ? this.#bytes.subarray(at, this.#filled) : emptyBytes
    const target = length > this.#bytes.length ? Buffer.allocUnsafe(length) : this.#bytes
    kept.copy(target)
    this.#bytes = target
    this.#filled = kept.length
    this.#start = position
  }
}

const emptyBytes = Buffer.alloc(0)

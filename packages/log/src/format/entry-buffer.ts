import { strict as assert } from 'node:assert'
import { readInt32, readInt64 } from '../base/int64.ts'
import { type File, writeFullySync } from '../storage/file-system.ts'
import type { IndexProblem } from './index-problem.ts'

export interface EntryBufferOptions {
  readonly entryBytes: number
  /** Largest size of the file; rounded down to whole entries. */
  readonly maxBytes: number
}

type EntryRefusal = Pick<IndexProblem, 'kind' | 'reason'>

/** Tells what is wrong with entry number `entry`, given that all before it are right. */
export type EntryCheck = (entries: EntryBuffer, entry: number) => EntryRefusal | null

/**
 * Fixed-size entries exactly as they stand in an index file, in one buffer that grows by doubling,
 * and how much of them the file has already. The indexes give the bytes their meaning.
 *
 * Owns its bytes: what was handed to `decode` must not be changed afterwards.
 */
export class EntryBuffer {
  readonly entryBytes: number
  /** How many entries fit the file's largest size. Decoding may find more; appending stops here. */
  readonly maxCount: number
  #bytes: Buffer
  #count: number
  /** So many bytes, from the start, are in the file as they are here. */
  #savedBytes = 0
  /** The file may hold bytes behind those. */
  #isFileLonger = false

  constructor(options: EntryBufferOptions) {
    this.entryBytes = options.entryBytes
    this.maxCount = Math.floor(options.maxBytes / options.entryBytes)
    this.#bytes = emptyBytes
    this.#count = 0
  }

  /** Takes the entries of a file up to the first that `check` refuses. */
  static decode(
    bytes: Buffer,
    options: EntryBufferOptions,
    check: EntryCheck,
  ): { readonly entries: EntryBuffer; readonly problem: IndexProblem | null } {
    const entries = new EntryBuffer(options)
    // Most logs are small and have an empty one: it is not kept for each.
    entries.#bytes = bytes.length === 0 ? emptyBytes : bytes
    const problem = entries.#countValid(check)
    entries.#savedBytes = entries.sizeBytes
    entries.#isFileLonger = problem !== null
    return { entries, problem }
  }

  #countValid(check: EntryCheck): IndexProblem | null {
    const slots = Math.floor(this.#bytes.length / this.entryBytes)
    let refusal: EntryRefusal | null = null
    while (this.#count < slots && refusal === null) {
      refusal = check(this, this.#count)
      if (refusal === null) this.#count += 1
    }
    const restBytes = this.#bytes.length - this.sizeBytes
    if (restBytes === 0) return null
    refusal ??= { kind: 'length', reason: `${restBytes} bytes at the end are less than an entry` }
    if (isZero(this.#bytes, this.sizeBytes)) {
      // A first entry of zeros is legal, but before more zeros it is padding like them.
      if (this.#count === 1 && isZero(this.#bytes, 0)) this.#count = 0
      refusal = { kind: 'padding', reason: 'the rest of the file is zeros' }
    }
    return { ...refusal, entry: this.#count, position: this.sizeBytes }
  }

  get count(): number {
    return this.#count
  }

  get sizeBytes(): number {
    return this.#count * this.entryBytes
  }

  /** The entries as the file should hold them: a view, good until the next change. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.sizeBytes)
  }

  int32At(entry: number, field: number): number {
    return readInt32(this.#bytes, entry * this.entryBytes + field)
  }

  int64At(entry: number, field: number): number {
    return readInt64(this.#bytes, entry * this.entryBytes + field)
  }

  /**
   * The last entry whose int32 at `field` is at most `target`, -1 when none is. The field must not
   * decrease from entry to entry.
   */
  floorInt32(field: number, target: number): number {
    const bytes = this.#bytes
    const entryBytes = this.entryBytes
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (readInt32(bytes, middle * entryBytes + field) <= target) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** As {@link floorInt32}, for an int64. */
  floorInt64(field: number, target: number): number {
    const bytes = this.#bytes
    const entryBytes = this.entryBytes
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (readInt64(bytes, middle * entryBytes + field) <= target) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** Adds an entry, to be written at once to the position and in the buffer that it returns. */
  add(): { readonly bytes: Buffer; readonly position: number } {
    assert(this.#count < this.maxCount, 'an index that is full is not appended to')
    const position = this.sizeBytes
    if (position + this.entryBytes > this.#bytes.length) this.#grow()
    this.#count += 1
    return { bytes: this.#bytes, position }
  }

  #grow(): void {
    const doubled = Math.max(this.#bytes.length * 2, this.entryBytes * firstGrowthEntries)
    const grown = Buffer.allocUnsafeSlow(Math.min(doubled, this.maxCount * this.entryBytes))
    this.#bytes.copy(grown, 0, 0, this.sizeBytes)
    this.#bytes = grown
  }

  /** Bytes that `save` would write. */
  get unsavedBytes(): number {
    return this.sizeBytes - this.#savedBytes
  }

  /** Whether `save` would change the file: something to write or to cut off. */
  get isUnsaved(): boolean {
    return this.#isFileLonger || this.unsavedBytes > 0
  }

  /**
   * Brings the file up to date: cuts off what is no longer there, writes what is new. Flushes
   * nothing. The file must be the one that was decoded or saved to before, or an empty one at
   * first. After a system error the same call can be made again.
   */
  save(file: File): void {
    if (this.#isFileLonger) {
      file.truncate(this.#savedBytes)
      this.#isFileLonger = false
    }
    if (this.unsavedBytes === 0) return
    writeFullySync(file, this.bytes().subarray(this.#savedBytes), this.#savedBytes)
    this.#savedBytes = this.sizeBytes
  }
}

/** An index that gets any entry at all usually gets many: 64 are 512 bytes of an offset index. */
const firstGrowthEntries = 64

const emptyBytes = Buffer.alloc(0)

function isZero(bytes: Uint8Array, start: number): boolean {
  for (let at = start; at < bytes.length; at += 1) if (bytes[at] !== 0) return false
  return true
}

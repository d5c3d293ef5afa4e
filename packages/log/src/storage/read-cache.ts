import { InvalidArgumentError } from '@varve/record'
import { ReadingMemory } from './reading-memory.ts'

/** Of a data directory: some thousands of pages and batches. */
export const defaultReadCacheBytes: number = 16 * 2 ** 20

const marksCount = 8192
const marksShift = 32 - Math.log2(marksCount)
const noMarks = new Uint32Array(0)

/** Throws InvalidArgumentError. */
export function checkReadCacheBytes(value: number = defaultReadCacheBytes): void {
  if (Number.isSafeInteger(value) && value >= 0) return
  throw new InvalidArgumentError('readCacheBytes', value, 'must be a non-negative integer')
}

/** Something that was read, and is kept as long as there is room. */
export interface CachedItem {
  /** What it takes of the room, about. */
  readonly sizeBytes: number
  /** Set by whoever uses it: it stays for another round. */
  isUsed: boolean
  /** Makes its owner let go of it. */
  drop(): void
}

/**
 * Room in memory for what was read of the files of one data directory, at most `bytesMax`. Whoever
 * reads keeps what it read, and notes it here; when there is no room left, what was not used since
 * the last round is dropped (the algorithm is the clock's: a hit costs one assignment).
 *
 * What it holds is right as long as files never change under their names: that is for its owners to
 * see to.
 */
export class ReadCache {
  /** What is read into. */
  readonly memory: ReadingMemory = new ReadingMemory()
  readonly #bytesMax: number
  /** In the order in which they are looked at when room is needed. */
  readonly #items = new Set<CachedItem>()
  /** Marks of what was asked for lately; empty before anything was. */
  #marks: Uint32Array = noMarks
  #sizeBytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /**
   * Whether something was asked for before, not long ago: what is read once and never again should
   * not take the room of what is. Says yes to something else now and then.
   *
   * @param place in the file that `start` tells from others, mostly
   */
  isAskedAgain(start: number, place: number): boolean {
    if (this.#marks === noMarks) this.#marks = new Uint32Array(marksCount)
    const mark = Math.imul(start ^ Math.imul(place, 0x9e3779b1), 0x85ebca6b) | 1
    const slot = mark >>> marksShift
    const isAgain = this.#marks[slot] === mark >>> 0
    this.#marks[slot] = mark
    return isAgain
  }

  /** Makes room for an item; false when there is none, and it must not be kept. */
  add(item: CachedItem): boolean {
    // A single one must not drive everything else out.
    if (item.sizeBytes > this.#bytesMax / 8) return false
    while (this.#sizeBytes + item.sizeBytes > this.#bytesMax) this.#dropOne()
    this.#items.add(item)
    this.#sizeBytes += item.sizeBytes
    return true
  }

  /** An item whose owner has let go of it; without a meaning for one that was dropped. */
  remove(item: CachedItem): void {
    if (this.#items.delete(item)) this.#sizeBytes -= item.sizeBytes
  }

  clear(): void {
    const items = [...this.#items]
    this.#items.clear()
    this.#sizeBytes = 0
    for (const item of items) item.drop()
  }

  #dropOne(): void {
    for (const item of this.#items) {
      if (item.isUsed) {
        // It is looked at again behind all others.
        item.isUsed = false
        this.#items.delete(item)
        this.#items.add(item)
        continue
      }
      this.remove(item)
      item.drop()
      return
    }
  }
}

import type { FilePosition, Offset } from '@varve/record'
import { readInt32 } from '../base/int64.ts'
import type { CachedItem, ReadCache } from '../storage/read-cache.ts'

// An `.index` file, searched where it lies, but for the pages of it that are in memory: a look-up
// among them takes no call of the system. The entries are not believed to be right: whoever uses a
// position compares what stands there with what the index said. So a page that is out of date costs
// time, and nothing else.

const entryBytes = 8
const pageBytes = 4096
const entriesPerPage: number = pageBytes / entryBytes
/** What an object and its place in the cache take beside its bytes. */
const overheadBytes = 256

/** The index entries around an offset; -1 stands for what is not there. */
export interface IndexNeighbours {
  /** Where to begin: the batch of the last entry at or before it, or the segment's start. */
  readonly floorPosition: FilePosition
  /** The last offset of that batch; -1 at the segment's start. */
  readonly floorOffset: Offset
  /** The first entry behind the offset. */
  readonly ceilingPosition: FilePosition
  readonly ceilingOffset: Offset
  /** Where the batch of the ceiling, or without one that of the floor, has surely ended. */
  readonly endPosition: FilePosition
}

/** The file that an index is in, opened for each call. */
export interface IndexFile {
  /** 0 when there is none. */
  indexBytes(): number
  /** Fills the target from there on, as far as the file goes; tells how far. */
  readIndex(target: Buffer, position: FilePosition): number
}

class IndexPage implements CachedItem {
  readonly bytes: Buffer
  readonly sizeBytes: number
  isUsed = true
  readonly drop: () => void

  constructor(bytes: Buffer, drop: () => void) {
    this.bytes = bytes
    this.sizeBytes = bytes.length + overheadBytes
    this.drop = drop
  }
}

/** The offset index of one segment that is not appended to here. */
export class IndexPages {
  readonly #cache: ReadCache
  readonly #file: IndexFile
  readonly #baseOffset: Offset
  #count = 0
  #pages: Array<IndexPage | null> = []
  /** The first relative offset of each page that was ever looked at, -1 of others. */
  #firsts: number[] = []

  constructor(cache: ReadCache, file: IndexFile, baseOffset: Offset) {
    this.#cache = cache
    this.#file = file
    this.#baseOffset = baseOffset
    this.#measure()
  }

  /** @param endPosition of the segment: behind it, entries mean nothing */
  around(offset: Offset, endPosition: FilePosition): IndexNeighbours {
    const target = offset - this.#baseOffset
    let floor = this.#floor(target)
    // While the segment is being sealed its index grows.
    if (floor === this.#count - 1 && endPosition - this.#positionOf(floor) > unindexedBytesMax) {
      if (this.#measure()) floor = this.#floor(target)
    }
    const floorPosition = this.#positionOf(floor)
    const floorOffset = floor < 0 ? -1 : this.#offsetOf(floor)
    const ceilingPosition = this.#positionOf(floor + 1, -1)
    // Where entries are in no order, the search may end at a wrong one.
    const isFloor = floorPosition > 0 && floorPosition < endPosition && floorOffset <= offset
    const isCeiling = ceilingPosition > floorPosition && ceilingPosition < endPosition
    const next = this.#positionOf(floor + 2, -1)
    return {
      floorPosition: isFloor ? floorPosition : 0,
      floorOffset: isFloor ? floorOffset : -1,
      ceilingPosition: isCeiling ? ceilingPosition : -1,
      ceilingOffset: isCeiling ? this.#offsetOf(floor + 1) : -1,
      endPosition: isCeiling && next > ceilingPosition && next < endPosition ? next : endPosition,
    }
  }

  /** Lets go of everything in memory. */
  drop(): void {
    for (const page of this.#pages) if (page !== null) this.#cache.remove(page)
    this.#pages = []
    this.#firsts = []
    this.#count = 0
  }

  /** Whether there are more entries than were known. */
  #measure(): boolean {
    const count = Math.floor(this.#file.indexBytes() / entryBytes)
    if (count === this.#count) return false
    this.drop()
    this.#count = count
    const pages = Math.ceil(count / entriesPerPage)
    this.#pages = new Array<IndexPage | null>(pages).fill(null)
    this.#firsts = new Array<number>(pages).fill(-1)
    return true
  }

  /** The last entry at or before a relative offset; -1 without one. */
  #floor(target: number): number {
    let low = 0
    let high = this.#firsts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#firstOf(middle) <= target) low = middle + 1
      else high = middle
    }
    if (low === 0) return -1
    const bytes = this.#page(low - 1)
    let first = 0
    let last = Math.floor(bytes.length / entryBytes)
    while (first < last) {
      const middle = (first + last) >>> 1
      if (relativeOffsetAt(bytes, middle * entryBytes) <= target) first = middle + 1
      else last = middle
    }
    return (low - 1) * entriesPerPage + first - 1
  }

  #firstOf(page: number): number {
    const known = this.#firsts[page] ?? -1
    if (known >= 0) return known
    const bytes = this.#page(page)
    const first = bytes.length < entryBytes ? Number.MAX_SAFE_INTEGER : relativeOffsetAt(bytes, 0)
    this.#firsts[page] = first
    return first
  }

  #positionOf(entry: number, absent = 0): FilePosition {
    if (entry < 0 || entry >= this.#count) return absent
    const bytes = this.#page(Math.floor(entry / entriesPerPage))
    const at = (entry % entriesPerPage) * entryBytes
    return at + entryBytes <= bytes.length ? readInt32(bytes, at + 4) >>> 0 : absent
  }

  #offsetOf(entry: number): Offset {
    const bytes = this.#page(Math.floor(entry / entriesPerPage))
    return this.#baseOffset + (readInt32(bytes, (entry % entriesPerPage) * entryBytes) >>> 0)
  }

  #page(number: number): Buffer {
    const known = this.#pages[number] ?? null
    if (known !== null) {
      known.isUsed = true
      return known.bytes
    }
    const position = number * pageBytes
    const wanted = Buffer.allocUnsafeSlow(Math.min(pageBytes, this.#count * entryBytes - position))
    const count = this.#file.readIndex(wanted, position)
    const bytes = wanted.subarray(0, count - (count % entryBytes))
    // One that came short has been cut meanwhile, or was never there.
    if (bytes.length < wanted.length) return bytes
    const page = new IndexPage(bytes, () => {
      if (this.#pages[number] === page) this.#pages[number] = null
    })
    if (this.#cache.add(page)) this.#pages[number] = page
    return bytes
  }
}

/** More than this behind the last entry: there should be another one. */
const unindexedBytesMax = 64 * 1024

/**
 * Of a zero-padded tail, as a crash or a broker leaves it, larger than any: it must not look like
 * small offsets. An entry with position 0 can only be the first one, and says nothing.
 */
function relativeOffsetAt(bytes: Buffer, at: number): number {
  const relativeOffset = readInt32(bytes, at) >>> 0
  if (relativeOffset === 0 && readInt32(bytes, at + 4) === 0) return Number.MAX_SAFE_INTEGER
  return relativeOffset
}

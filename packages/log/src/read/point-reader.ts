import {
  type Batch,
  batchPrefixBytes,
  type FilePosition,
  type Offset,
  RecordBatch,
} from '@varve/record'
import type { IndexNeighbours } from '../format/index-pages.ts'
import type { Isolation, ReadableSegment, ReadSource } from '../segments/read-source.ts'
import type { File } from '../storage/file-system.ts'
import { isOurError } from '../storage/storage-error.ts'
import { type BatchStretch, type FoundBatch, findBatch, nextBatch } from './batch-search.ts'
import { type OpenedBatch, openBatch } from './opened-batch.ts'
import { StretchCache } from './stretch-cache.ts'

/**
 * Up to so many bytes are read on the event loop: 16 KiB take 3 µs out of the page cache, 128 KiB
 * 20, and the hop through the thread pool alone takes 40. What has to come from a disk keeps the
 * loop waiting as long as the disk takes for one read, of whatever size.
 */
const readBytesMax = 128 * 1024
/** Read where the index does not say how far the batch can go. */
const guessBytes = 16 * 1024
/**
 * With index entries further apart than this, batches are larger than the distance that entries
 * should have: each has its own, and the batch that is looked for is most likely the next entry's.
 */
const largeBatchBytes = 6 * 1024

/** What is to be read. */
export interface PointOptions {
  readonly from: Offset
  readonly maxBytes: number
  readonly isolation: Isolation
  readonly verifyChecksums: boolean
}

/** A part of a segment that begins where a batch does. */
interface Plan {
  readonly position: FilePosition
  /** The last offset of the batch that should stand there; -1 at the segment's start. */
  readonly firstLastOffset: Offset
  /** Batches there begin behind it. */
  readonly previousOffset: Offset
  /** Where a batch begins, or the segment ends; -1 where that is not known. */
  readonly end: FilePosition
}

/**
 * Reads at an offset, without reading on: with one call of the system where the index is in memory,
 * with none where the batch is. It gives only what is beyond doubt; whatever is not as it mostly is
 * (gaps, old formats, damage, large batches, the log's end) is left to a `LogCursor`, by null.
 */
export class PointReader {
  readonly #source: ReadSource
  /** Null for the log of another process, whose files may be cut and written anew. */
  readonly #stretches: StretchCache | null

  constructor(source: ReadSource, isOwn: boolean) {
    this.#source = source
    this.#stretches = isOwn ? new StretchCache(source.files.cache) : null
  }

  /** The batches from an offset on, about `maxBytes` of them, in memory of their own. */
  read(options: PointOptions): readonly Batch[] | null {
    const { from, maxBytes, isolation } = options
    const segment = maxBytes > readBytesMax ? null : this.#segmentOf(from, isolation)
    if (segment === null) return null
    return this.#overPlans(segment, from, (plan) => {
      const stretch = this.#readStretch(segment, plan, maxBytes)
      const found = stretch === null ? null : findBatch(stretch, from)
      if (stretch === null || found === null) return null
      return this.#batchesFrom(stretch, found, options)
    })
  }

  /** The batch that holds an offset: to be looked at now, neither changed nor given out. */
  open(offset: Offset, isolation: Isolation, verifyChecksums: boolean): OpenedBatch | null {
    const segment = this.#segmentOf(offset, isolation)
    if (segment === null) return null
    const opened = this.#overPlans(segment, offset, (plan) => {
      const kept = this.#stretches?.find(segment.identity, plan.position)
      if (kept !== undefined) return kept.open(offset, verifyChecksums)
      return this.#openUnkept(segment, plan, offset, verifyChecksums)
    })
    return opened !== null && opened.lastOffset < this.#limitOffset(isolation) ? opened : null
  }

  /** Lets go of what is kept of a segment. */
  drop(identity: object): void {
    this.#stretches?.drop(identity)
  }

  dropAll(): void {
    this.#stretches?.dropAll()
  }

  #openUnkept(
    segment: ReadableSegment,
    plan: Plan,
    offset: Offset,
    verifyChecksums: boolean,
  ): OpenedBatch | null {
    const stretch = this.#readStretch(segment, plan, 0)
    const found = stretch === null ? null : findBatch(stretch, offset)
    if (stretch === null || found === null) return null
    const opened = openBatch(stretch, found, { verifyChecksums })
    // What reaches to the next entry, or the segment's end, is there for good.
    const isWhole = plan.end >= 0 && stretch.position + stretch.bytes.length >= plan.end
    if (isWhole) this.#stretches?.keep(segment, stretch, found, verifyChecksums)
    return opened
  }

  #batchesFrom(
    stretch: BatchStretch,
    first: FoundBatch,
    { maxBytes, isolation, verifyChecksums }: PointOptions,
  ): readonly Batch[] | null {
    const limitOffset = this.#limitOffset(isolation)
    const wanted: FoundBatch[] = []
    let found: FoundBatch | null = first
    while (found !== null && found.lastOffset < limitOffset) {
      // The first comes whatever its size.
      if (wanted.length > 0 && found.end - first.start > maxBytes) break
      wanted.push(found)
      found = nextBatch(stretch, found)
    }
    const end = wanted.at(-1)?.end ?? first.start
    const own = this.#source.files.cache.memory.copied(stretch.bytes.subarray(first.start, end))
    const batches = wanted.map((one) => {
      const bytes = own.subarray(one.start - first.start, one.end - first.start)
      const batch = new RecordBatch(bytes, stretch.position + one.start)
      if (verifyChecksums) batch.validate()
      return batch
    })
    return batches.length === 0 ? null : batches
  }

  #limitOffset(isolation: Isolation): Offset {
    return isolation === 'committed' ? this.#source.lastStableOffset : this.#source.highWatermark
  }

  /** The segment that an offset is in; null where it is in none that can be read. */
  #segmentOf(offset: Offset, isolation: Isolation): ReadableSegment | null {
    if (this.#source.prepare(isolation) !== null) return null
    if (offset < this.#source.logStartOffset || offset >= this.#limitOffset(isolation)) return null
    const segment = this.#source.segmentFor(offset)
    if (segment === null || offset < segment.baseOffset) return null
    return offset < segment.nextOffset ? segment : null
  }

  /** The first result of the places where an offset may be; null also where one fails. */
  #overPlans<Result>(
    segment: ReadableSegment,
    offset: Offset,
    look: (plan: Plan) => Result | null,
  ): Result | null {
    try {
      const neighbours = segment.around(offset)
      const { ceilingPosition, floorPosition } = neighbours
      const isLarge = ceilingPosition - floorPosition > largeBatchBytes
      const result =
        (isLarge ? look(behind(neighbours)) : null) ?? look(before(neighbours, isLarge))
      return result !== null && this.#source.isSame(segment) ? result : null
    } catch (error) {
      if (isOurError(error)) return null
      throw error
    }
  }

  /** The bytes of a plan and some more, until the next read; null where they are too many. */
  #readStretch(segment: ReadableSegment, plan: Plan, more: number): BatchStretch | null {
    const { position, firstLastOffset, previousOffset } = plan
    const limit = this.#source.visibleBytes(segment)
    // With the beginning of the next batch, which proves the last one's offsets.
    const end = (plan.end < 0 ? position + guessBytes : plan.end) + more + batchPrefixBytes
    const length = Math.min(end, limit) - position
    if (length <= 0 || length > readBytesMax + guessBytes) return null
    const bytes = this.#source.files.cache.memory.scratch(length)
    if (this.#readFile(segment.path, bytes, position) < length) return null
    const { nextOffset } = segment
    return { bytes, position, firstLastOffset, previousOffset, nextOffset, limit }
  }

  #readFile(path: string, bytes: Buffer, position: FilePosition): number {
    const { files } = this.#source
    const file: File = files.borrow(path, 'read')
    try {
      return file.readSync(bytes, position)
    } finally {
      files.giveBack(file)
    }
  }
}

/** From the batch of the entry behind the offset on. */
function behind(neighbours: IndexNeighbours): Plan {
  return {
    position: neighbours.ceilingPosition,
    firstLastOffset: neighbours.ceilingOffset,
    previousOffset: neighbours.floorOffset,
    end: neighbours.endPosition,
  }
}

/** From the batch of the entry at or before the offset on. */
function before(neighbours: IndexNeighbours, isBehindDone: boolean): Plan {
  return {
    position: neighbours.floorPosition,
    firstLastOffset: neighbours.floorOffset,
    previousOffset: -1,
    end: isBehindDone ? neighbours.ceilingPosition : neighbours.endPosition,
  }
}

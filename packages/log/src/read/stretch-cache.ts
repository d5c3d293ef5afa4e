import type { FilePosition, Offset } from '@varve/record'
import type { ReadableSegment } from '../segments/read-source.ts'
import type { CachedItem, ReadCache } from '../storage/read-cache.ts'
import { type BatchStretch, type FoundBatch, findBatch } from './batch-search.ts'
import { type OpenedBatch, openBatch } from './opened-batch.ts'

/** What a stretch in memory takes beside its bytes. */
const overheadBytes = 512

/** The bytes between entries of an index, and the batch of them that was looked at last. */
export class KeptStretch implements CachedItem {
  readonly sizeBytes: number
  readonly memory: Buffer
  readonly drop: () => void
  isUsed = false
  readonly #stretch: BatchStretch
  #opened: OpenedBatch

  /** @param memory in which the stretch lies */
  constructor(memory: Buffer, stretch: BatchStretch, opened: OpenedBatch, drop: () => void) {
    this.memory = memory
    this.#stretch = stretch
    this.#opened = opened
    this.drop = drop
    this.sizeBytes = memory.length + opened.decompressedBytes + overheadBytes
  }

  /** The batch that holds an offset; null as with `findBatch`. Throws CorruptBatchError. */
  open(offset: Offset, verifyChecksums: boolean): OpenedBatch | null {
    this.isUsed = true
    const last = this.#opened
    const isLast = offset >= last.baseOffset && offset <= last.lastOffset
    if (isLast && (last.isVerified || !verifyChecksums)) return last
    const found = findBatch(this.#stretch, offset)
    if (found === null) return null
    const opened = openBatch(this.#stretch, found, { verifyChecksums })
    // What takes more memory than was counted is not kept.
    if (opened.decompressedBytes <= last.decompressedBytes) this.#opened = opened
    return opened
  }
}

/** The stretches of one log's segments that are kept in memory. */
export class StretchCache {
  readonly #cache: ReadCache
  /** By the segment's identity, then by position. */
  readonly #segments = new Map<object, Map<FilePosition, KeptStretch>>()

  constructor(cache: ReadCache) {
    this.#cache = cache
  }

  find(identity: object, position: FilePosition): KeptStretch | undefined {
    return this.#segments.get(identity)?.get(position)
  }

  /**
   * Keeps a copy of a stretch that will never change, if it was asked for before and there is room.
   *
   * @param found the batch in it that was looked for, and has been opened
   */
  keep(
    segment: ReadableSegment,
    stretch: BatchStretch,
    found: FoundBatch,
    isVerified: boolean,
  ): void {
    const { position } = stretch
    const { identity } = segment
    if (!this.#cache.isAskedAgain(segment.baseOffset, position)) return
    const memory = this.#cache.memory.borrowed(stretch.bytes)
    const copy = { ...stretch, bytes: memory.subarray(0, stretch.bytes.length) }
    const opened = openBatch(copy, found, { isVerified })
    const kept = new KeptStretch(memory, copy, opened, () => this.#forget(identity, position))
    if (!this.#cache.add(kept)) return
    const known = this.#segments.get(identity)
    if (known === undefined) this.#segments.set(identity, new Map([[position, kept]]))
    else known.set(position, kept)
  }

  /** Lets go of those of a segment. */
  drop(identity: object): void {
    for (const kept of this.#segments.get(identity)?.values() ?? []) this.#cache.remove(kept)
    this.#segments.delete(identity)
  }

  dropAll(): void {
    for (const identity of [...this.#segments.keys()]) this.drop(identity)
  }

  #forget(identity: object, position: FilePosition): void {
    const known = this.#segments.get(identity)
    const kept = known?.get(position)
    if (kept !== undefined) this.#cache.memory.giveBack(kept.memory)
    known?.delete(position)
    if (known?.size === 0) this.#segments.delete(identity)
  }
}

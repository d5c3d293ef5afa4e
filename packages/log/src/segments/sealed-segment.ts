import { crc32c, type FilePosition, type Offset, type Timestamp } from '@varve/record'
import { CorruptIndexError } from '../base/log-errors.ts'
import type { SegmentInfo } from '../base/segment-info.ts'
import { lastTimestamp, lookupTimestamp } from '../format/index-lookup.ts'
import { type IndexFile, type IndexNeighbours, IndexPages } from '../format/index-pages.ts'
import type { OffsetIndex } from '../format/offset-index.ts'
import type { SegmentDigest } from '../format/segment-digest.ts'
import {
  decodeTransactionIndex,
  type TransactionIndex,
  transactionIndexBytesMax,
} from '../format/transaction-index.ts'
import {
  indexFileName,
  logFileName,
  segmentDigestFileName,
  swapSuffix,
  timeIndexFileName,
  transactionIndexFileName,
} from '../storage/file-names.ts'
import { type File, isSystemError, readSmallFile } from '../storage/file-system.ts'
import type { OpenFiles } from '../storage/open-files.ts'
import type { ReadableSegment, SegmentSeek } from './read-source.ts'
import { readDigest } from './segment-restore.ts'

/** What is known of a sealed segment without a look into it. */
export type SealedInfo = Omit<SegmentInfo, 'maxTimestamp' | 'path'> & {
  /** Null until it is read. */
  readonly maxTimestamp: Timestamp | null
  /** Where it is, if that is not where its base offset says. */
  readonly path?: string
}

/**
 * A segment that never changes again. Its indexes stay on disk and are searched there, so that a
 * log of a thousand segments costs no memory to open; pages of its offset index that were read stay
 * in memory while there is room for them.
 */
export class SealedSegment implements ReadableSegment, IndexFile {
  readonly baseOffset: Offset
  readonly nextOffset: Offset
  readonly sizeBytes: number
  readonly directory: string
  /** The same as that of the active segment that was sealed, where it was one. */
  readonly identity: object
  readonly #files: OpenFiles
  /** Null while nobody has asked for it: there may be tens of thousands. */
  #path: string | null = null
  #maxTimestamp: Timestamp | null
  #transactionIndex: TransactionIndex | null = null
  #isTimeIndexRight: boolean | null = null
  /** While it is being sealed. */
  #unsaved: OffsetIndex | null = null
  /** Made at the first look-up. */
  #pages: IndexPages | null = null

  constructor(
    files: OpenFiles,
    directory: string,
    info: SealedInfo,
    identity: object | null = null,
  ) {
    this.identity = identity ?? this
    this.#files = files
    this.directory = directory
    this.baseOffset = info.baseOffset
    this.nextOffset = info.nextOffset
    this.sizeBytes = info.sizeBytes
    this.#maxTimestamp = info.maxTimestamp
    if (info.path !== undefined) this.movedTo(info.path)
  }

  get path(): string {
    this.#path ??= this.#ownPath
    return this.#path
  }

  get #ownPath(): string {
    return `${this.directory}/${logFileName(this.baseOffset)}`
  }

  /** The segment has left the log and its file was renamed; who still reads it goes on there. */
  movedTo(path: string): void {
    this.#path = path === this.#ownPath ? null : path
  }

  info(): SegmentInfo {
    const { baseOffset, nextOffset, sizeBytes, maxTimestamp } = this
    // Whoever has all segments described does not need their paths to be kept.
    const path = this.#path ?? this.#ownPath
    return { baseOffset, nextOffset, sizeBytes, maxTimestamp, path }
  }

  /** Read from the digest when first asked for, or from the time index, which has no checksum. */
  get maxTimestamp(): Timestamp {
    this.#maxTimestamp ??= this.#digest()?.maxTimestamp ?? this.indexedTimestamp
    return this.#maxTimestamp
  }

  /** What the time index says is the largest timestamp; -1 when it says nothing. */
  get indexedTimestamp(): Timestamp {
    return this.#withIndex(timeIndexFileName(this.baseOffset), lastTimestamp) ?? -1
  }

  /**
   * Where to start looking for `offset`: a batch at or before the one that holds it, and the last
   * offset of the batch that the index says stands there, to be compared with what is found; null
   * where the index gave no help and the position is the segment's start.
   */
  seek(offset: Offset): SegmentSeek {
    const { floorPosition, floorOffset } = this.around(offset)
    return { position: floorPosition, expectedLastOffset: floorPosition === 0 ? null : floorOffset }
  }

  around(offset: Offset): IndexNeighbours {
    if (this.#unsaved !== null) {
      const found = this.#unsaved.around(offset)
      return found.endPosition < 0 ? { ...found, endPosition: this.sizeBytes } : found
    }
    this.#pages ??= new IndexPages(this.#files.cache, this, this.baseOffset)
    return this.#pages.around(offset, this.sizeBytes)
  }

  /** Until its index is on disk, it is looked up in memory; null ends that. */
  lookUpIn(index: OffsetIndex | null): void {
    this.#unsaved = index
  }

  /** Lets go of what is in memory of its index: it is not looked up here any more. */
  release(): void {
    this.#pages?.drop()
    this.#pages = null
  }

  /** @internal */
  indexBytes(): number {
    return this.#withIndex(indexFileName(this.baseOffset), (_, sizeBytes) => sizeBytes) ?? 0
  }

  /** @internal */
  readIndex(target: Buffer, position: FilePosition): number {
    const read = (file: File): number => file.readSync(target, position)
    return this.#withIndex(indexFileName(this.baseOffset), read) ?? 0
  }

  /** An offset at or before the first record with this timestamp or a later one. */
  seekTimestamp(timestamp: Timestamp): Offset {
    // An altered entry would make the search start behind the record; without it, it takes longer.
    if (!this.#hasRightTimeIndex) return this.baseOffset
    const entry = this.#withIndex(timeIndexFileName(this.baseOffset), (file, size) =>
      lookupTimestamp(file, size, this.baseOffset, timestamp),
    )
    return entry?.offset ?? this.baseOffset
  }

  /** Compared with the digest at the first look-up; believed where there is none. */
  get #hasRightTimeIndex(): boolean {
    this.#isTimeIndexRight ??= this.#withIndex(timeIndexFileName(this.baseOffset), (file, size) => {
      const expected = this.#digest()?.timeIndexCrc32c
      return expected === undefined || checksumOf(file, size) === expected
    })
    return this.#isTimeIndexRight ?? true
  }

  /** The aborted transactions that ended in this segment. Throws CorruptIndexError. */
  get transactionIndex(): TransactionIndex {
    if (this.#transactionIndex === null) {
      const path = this.#pathOf(transactionIndexFileName(this.baseOffset))
      const bytes = this.#readTransactionIndex(path)
      const { index, problem } = decodeTransactionIndex(bytes ?? Buffer.alloc(0), this.baseOffset)
      // Without it, aborted records would be given out as committed ones.
      if (problem !== null) throw new CorruptIndexError(path, problem)
      const checksum = this.#digest()?.transactionIndexCrc32c
      if (checksum !== undefined && crc32c(bytes ?? Buffer.alloc(0)) !== checksum) {
        throw new CorruptIndexError(path, { position: 0, reason: 'its checksum does not agree' })
      }
      this.#transactionIndex = index
    }
    return this.#transactionIndex
  }

  /**
   * Of a file beside the log. It has the suffix that the log has, `.deleted` or, while somebody
   * else's replacement is under way, `.swap`; or a moment later or earlier another one than the
   * log.
   */
  #pathOf(name: string): string {
    return this.#findPath(name) ?? `${this.directory}/${name}`
  }

  #findPath(name: string): string | null {
    const path = `${this.directory}/${name}`
    const suffix = this.#path?.slice(this.#path.lastIndexOf('.log') + '.log'.length) ?? ''
    for (const candidate of [`${path}${suffix}`, path, `${path}${swapSuffix}`]) {
      if (this.#files.fs.stat(candidate) !== null) return candidate
    }
    return null
  }

  /** The digest of this segment; null when Varve did not seal it. */
  #digest(): SegmentDigest | null {
    const path = this.#pathOf(segmentDigestFileName(this.baseOffset))
    const digest = readDigest(this.#files.fs, path)
    return digest?.sizeBytes === this.sizeBytes ? digest : null
  }

  #readTransactionIndex(path: string): Buffer | null {
    try {
      return readSmallFile(this.#files.fs, path, transactionIndexBytesMax)
    } catch (error) {
      if (!isSystemError(error, 'EFBIG')) throw error
      const reason = `it has more than ${transactionIndexBytesMax} bytes`
      throw new CorruptIndexError(path, { position: 0, reason })
    }
  }

  /** Runs a look-up on an index file; null when the file is missing. */
  #withIndex<Result>(
    name: string,
    lookup: (file: File, sizeBytes: number) => Result,
  ): Result | null {
    const path = this.#findPath(name)
    if (path === null) return null
    const file = this.#files.borrow(path, 'read')
    try {
      return lookup(file, file.sizeBytes())
    } finally {
      this.#files.giveBack(file)
    }
  }
}

function checksumOf(file: File, sizeBytes: number): number {
  const chunk = Buffer.alloc(Math.min(sizeBytes, 64 * 1024))
  let checksum = 0
  for (let position = 0; position < sizeBytes; position += chunk.length) {
    checksum = crc32c(chunk.subarray(0, file.readSync(chunk, position)), checksum)
  }
  return checksum
}

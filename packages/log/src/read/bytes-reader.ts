import { CorruptBatchError, type FilePosition, type Offset } from '@varve/record'
import { logChannels } from '../base/diagnostics.ts'
import { CorruptLogError, OffsetOutOfRangeError } from '../base/log-errors.ts'
import type { AbortedTransaction } from '../format/transaction-index.ts'
import type { Isolation, ReadableSegment, ReadSource } from '../segments/read-source.ts'
import { type File, isSystemError } from '../storage/file-system.ts'
import { type Cut, cutBatches } from './batch-cut.ts'
import { StoredStretch } from './stored-stretch.ts'

/** What is read as it is stored. */
export interface ReadBytesOptions {
  /** The first record that is wanted. */
  readonly from: Offset
  /** At most so many bytes of batches. */
  readonly maxBytes: number
  /** @defaultValue 'uncommitted' */
  readonly isolation?: Isolation
  /** Whether the first batch comes also where it is larger than that. @defaultValue true */
  readonly isFirstWhole?: boolean
  /**
   * Memory for so many bytes, to read into; asked for once or more often. What comes back lies
   * there, or in memory of the log. @defaultValue memory of its own
   */
  readonly memory?: (sizeBytes: number) => Buffer
  /**
   * Whether large batches may be left where they are, as a stretch to be read later.
   * @defaultValue false
   */
  readonly mayDefer?: boolean
}

/** Batches as they are stored. */
export interface StoredBytes {
  /** One after the other, whole batches; not to be changed. The first may begin before `from`. */
  readonly pieces: readonly Buffer[]
  /** With `mayDefer`: in place of the pieces, what is still to be read; else null. */
  readonly stretch: StoredStretch | null
  readonly sizeBytes: number
  /** Where to read on. */
  readonly nextOffset: Offset
  /** With `isolation: 'committed'`: those that have records there. */
  readonly abortedTransactions: readonly AbortedTransaction[]
}

/** Where a batch begins. */
interface Place {
  readonly segment: ReadableSegment
  readonly position: FilePosition
  /** The last offset of the batch that an index says stands there; null where nothing is said. */
  readonly expectedLastOffset: Offset | null
}

/** Where reading goes on, since what was read held nothing that is wanted. */
interface Further {
  readonly place: Place
  readonly leastBytes: number
}

/** From so many bytes on, the start of the first batch is looked at before they are read. */
const headFirstBytes = 8 * 1024
/** Places where readers will go on. */
const placesMax = 64
/** Beside what is wanted, where that is little: an index may have led to a batch before it. */
const slackBytes = 8 * 1024
const slackBelowBytes = 64 * 1024
/** The first batch is whole in so many bytes, mostly. */
const leastReadBytes = 4096
/** Smaller batches are read to learn their sizes: of many, looking at each would cost more. */
const deferredBatchBytesMin = 256 * 1024
/** A log that changes under the reader more often than this is given up. */
const failuresMax = 16

/** For the start of a batch, looked at before anything else is read. */
const headMemory = Buffer.allocUnsafeSlow(64)

const nothing: readonly never[] = []

/**
 * Reads batches for somebody who passes them on as they are: nothing is decoded and no checksum
 * looked at, only sizes and offsets. At once where the bytes are in memory or few; whoever reads on
 * where it stopped needs no index.
 */
export class BytesReader {
  readonly #source: ReadSource
  /** By the offset that is read next. */
  readonly #places = new Map<Offset, Place>()

  constructor(source: ReadSource) {
    this.#source = source
  }

  /** Throws, or rejects with, OffsetOutOfRangeError, CorruptLogError, and errors of the system. */
  read(options: ReadBytesOptions): StoredBytes | Promise<StoredBytes> {
    return this.#goOn(options, null, 0)
  }

  #goOn(
    options: ReadBytesOptions,
    further: Further | null,
    failures: number,
  ): StoredBytes | Promise<StoredBytes> {
    let next = further
    let place: Place | null = null
    try {
      for (;;) {
        this.#checkRange(options.from)
        if (options.from >= this.#limitOffset(options)) return this.#nothing(options)
        place = next?.place ?? this.#placeOf(options.from)
        const limit = place === null ? 0 : this.#source.visibleBytes(place.segment)
        if (place === null || place.position >= limit) {
          place = place === null ? null : this.#following(place)
          if (place === null) return this.#nothing(options)
          next = { place, leastBytes: 0 }
          continue
        }
        const tail = next === null ? this.#readTail(place, limit, options) : null
        if (tail !== null) return tail
        const length = lengthOf(place, limit, options, next?.leastBytes ?? 0)
        if (length > headFirstBytes) {
          const told = this.#lookFirst(options, place, limit)
          if (told !== null) return told
        }
        if (!this.#mayReadNow(length)) return this.#readLater(options, place, length, failures)
        const taken = this.#take(options, place, this.#readSync(options, place, length))
        if (!('place' in taken)) return taken
        next = taken
      }
    } catch (error) {
      return this.#tryAgain(options, place, failures, error)
    }
  }

  /** What can be said when only the starts of batches are looked at; null where that is nothing. */
  #lookFirst(options: ReadBytesOptions, place: Place, limit: FilePosition): StoredBytes | null {
    const { isFirstWhole = true, mayDefer = false, maxBytes, from } = options
    if (isFirstWhole && !mayDefer) return null
    const { segment, position, expectedLastOffset } = place
    let size = 0
    let nextOffset = from
    for (;;) {
      const roomBytes = maxBytes - size
      const at = { segment, position: position + size, expectedLastOffset: null }
      const isLast = size > 0 && roomBytes < deferredBatchBytesMin
      if (isLast || at.position + headMemory.length > limit) break
      const head = this.#readSync({ ...options, memory: () => headMemory }, at, headMemory.length)
      const cut = this.#cut(head, place, { ...options, from: nextOffset, maxBytes: roomBytes })
      const { missingBytes, firstLastOffset } = cut
      // Where an index means another batch, the rest is read all the same, and looked at.
      const isMeant = size > 0 || (expectedLastOffset ?? firstLastOffset) === firstLastOffset
      if (!isMeant || missingBytes === 0) break
      if (missingBytes > roomBytes) {
        if (size === 0 && !isFirstWhole) return this.#nothing(options)
        break
      }
      // Of smaller ones, reading them tells the sizes of all at once.
      if (!mayDefer || missingBytes < deferredBatchBytesMin) return null
      if (cut.start > 0 || at.position + missingBytes > limit) return null
      size += missingBytes
      nextOffset = firstLastOffset + 1
    }
    if (size === 0) return null
    this.#remember(nextOffset, place, position + size)
    const stretch = new StoredStretch(this.#source, place, size)
    return { ...this.#result(options, nothing, size, nextOffset), stretch }
  }

  async #readLater(
    options: ReadBytesOptions,
    place: Place,
    length: number,
    failures: number,
  ): Promise<StoredBytes> {
    let further: Further | null = null
    try {
      const file = this.#source.files.borrow(place.segment.path, 'read')
      let taken: StoredBytes | Further
      try {
        const bytes = memoryFor(options, length)
        const count = await file.read(bytes, place.position)
        taken = this.#take(options, place, whole(bytes, count, place.position))
      } finally {
        this.#source.files.giveBack(file)
      }
      if (!('place' in taken)) return taken
      further = taken
    } catch (error) {
      return this.#tryAgain(options, place, failures, error)
    }
    return this.#goOn(options, further, failures)
  }

  /** What compaction and retention do meanwhile looks like damage; whoever looks again sees. */
  #tryAgain(
    options: ReadBytesOptions,
    place: Place | null,
    failures: number,
    error: unknown,
  ): StoredBytes | Promise<StoredBytes> {
    const isDoubtful =
      error instanceof CorruptBatchError || isSystemError(error, 'ENOENT', 'EBADF', 'ESTALE')
    if (!isDoubtful || place === null) throw error
    const isPlaceRight = this.#isCurrent(place)
    this.#places.delete(options.from)
    if (isPlaceRight && place.expectedLastOffset !== null) {
      // The index is wrong, or the batch that it names is: from the start it shows which.
      place.segment.release()
      const { path } = place.segment
      logChannels.corruption.publish({ log: this.#source.name, path, error })
      const start = { segment: place.segment, position: 0, expectedLastOffset: null }
      return this.#goOn(options, { place: start, leastBytes: 0 }, failures)
    }
    if (isPlaceRight || failures >= failuresMax) throw this.#corrupt(error, options.from, place)
    return this.#goOn(options, null, failures + 1)
  }

  #checkRange(from: Offset): void {
    const { name, logStartOffset, logEndOffset } = this.#source
    if (from >= logStartOffset && from <= logEndOffset) return
    throw new OffsetOutOfRangeError(name, from, logStartOffset, logEndOffset)
  }

  #limitOffset({ isolation }: ReadBytesOptions): Offset {
    return isolation === 'committed' ? this.#source.lastStableOffset : this.#source.highWatermark
  }

  #placeOf(from: Offset): Place | null {
    const known = this.#places.get(from)
    if (known !== undefined) {
      const segment = this.#source.segmentFor(known.segment.baseOffset)
      if (segment?.identity === known.segment.identity) return { ...known, segment }
      this.#places.delete(from)
    }
    const segment = this.#source.segmentFor(from)
    return segment === null ? null : { segment, ...segment.seek(from) }
  }

  #isCurrent({ segment }: Place): boolean {
    return this.#source.segmentFor(segment.baseOffset)?.identity === segment.identity
  }

  /** The next segment's start, or the same segment where it has grown. */
  #following({ segment, position }: Place): Place | null {
    const current = this.#source.segmentFor(segment.baseOffset)
    if (current !== null && current.identity === segment.identity && current.sizeBytes > position) {
      return this.#source.visibleBytes(current) > position
        ? { segment: current, position, expectedLastOffset: null }
        : null
    }
    const next = this.#source.segmentAfter(segment.baseOffset)
    return next === null ? null : { segment: next, position: 0, expectedLastOffset: null }
  }

  #readTail(place: Place, limit: FilePosition, options: ReadBytesOptions): StoredBytes | null {
    const { tail } = this.#source
    const { segment, position } = place
    const chunks = tail?.readOn(segment.baseOffset, position, limit, options.maxBytes) ?? nothing
    const pieces: Buffer[] = []
    let sizeBytes = 0
    let nextOffset = options.from
    let at = position
    for (const chunk of chunks) {
      const maxBytes = options.maxBytes - sizeBytes
      const cut = this.#cut(chunk, place, { ...options, from: nextOffset, maxBytes })
      const size = cut.end - cut.start
      const isTooLarge = size > maxBytes && (pieces.length > 0 || options.isFirstWhole === false)
      if (size === 0 || isTooLarge) break
      pieces.push(size === chunk.length ? chunk : chunk.subarray(cut.start, cut.end))
      sizeBytes += size
      nextOffset = cut.nextOffset
      this.#remember(nextOffset, place, at + cut.end)
      if (cut.end < chunk.length) break
      at += chunk.length
    }
    if (pieces.length === 0) return null
    return this.#result(options, pieces, sizeBytes, nextOffset)
  }

  #mayReadNow(length: number): boolean {
    const { files, clock } = this.#source
    return files.loopReads.allows(length, clock.monotonic())
  }

  #readSync(options: ReadBytesOptions, { segment, position }: Place, length: number): Buffer {
    const { files, clock } = this.#source
    const file: File = files.borrow(segment.path, 'read')
    try {
      const bytes = memoryFor(options, length)
      files.loopReads.begin(length, clock.monotonic())
      const count = file.readSync(bytes, position)
      files.loopReads.end(clock.monotonic())
      return whole(bytes, count, position)
    } finally {
      files.giveBack(file)
    }
  }

  /** What is wanted of the bytes at a place; or where to go on when that is nothing. */
  #take(options: ReadBytesOptions, place: Place, bytes: Buffer): StoredBytes | Further {
    if (!this.#isCurrent(place)) throw new CorruptBatchError('it was replaced', place.position)
    const { segment, position, expectedLastOffset } = place
    const { maxBytes, isFirstWhole = true } = options
    const cut = this.#cut(bytes, place, options)
    if (expectedLastOffset !== null && cut.firstLastOffset !== expectedLastOffset) {
      throw new CorruptBatchError('the index means another batch', position)
    }
    const size = Math.max(cut.end - cut.start, cut.missingBytes)
    if (!isFirstWhole && size > maxBytes) return this.#nothing(options)
    if (cut.end > cut.start) {
      this.#remember(cut.nextOffset, place, position + cut.end)
      const piece = bytes.subarray(cut.start, cut.end)
      return this.#result(options, [piece], piece.length, cut.nextOffset)
    }
    const at = position + cut.start
    if (at + cut.missingBytes > this.#source.visibleBytes(segment)) {
      throw new CorruptBatchError('it passes the end of the data', at)
    }
    // What stands there is not decided yet.
    if (cut.start === 0 && cut.missingBytes === 0) return this.#nothing(options)
    const next = { segment, position: at, expectedLastOffset: null }
    return { place: next, leastBytes: cut.missingBytes }
  }

  #cut(bytes: Buffer, { segment }: Place, options: ReadBytesOptions): Cut {
    const limitOffset = this.#limitOffset(options)
    const { from, maxBytes } = options
    return cutBatches(bytes, { from, limitOffset, endOffset: segment.nextOffset, maxBytes })
  }

  #remember(nextOffset: Offset, { segment }: Place, position: FilePosition): void {
    const places = this.#places
    places.delete(nextOffset)
    places.set(nextOffset, { segment, position, expectedLastOffset: null })
    if (places.size <= placesMax) return
    for (const oldest of places.keys()) {
      places.delete(oldest)
      break
    }
  }

  #nothing({ from }: ReadBytesOptions): StoredBytes {
    const result = { pieces: nothing, stretch: null, abortedTransactions: nothing }
    return { ...result, sizeBytes: 0, nextOffset: from }
  }

  #result(
    { from, isolation }: ReadBytesOptions,
    pieces: readonly Buffer[],
    sizeBytes: number,
    nextOffset: Offset,
  ): StoredBytes {
    const abortedTransactions =
      isolation === 'committed' ? this.#source.abortedTransactions(from, nextOffset) : nothing
    return { pieces, stretch: null, sizeBytes, nextOffset, abortedTransactions }
  }

  #corrupt(error: unknown, firstOffset: Offset, { segment, position }: Place): unknown {
    if (!(error instanceof CorruptBatchError)) return error
    const { path } = segment
    const damage = { path, position, firstOffset, lastOffset: null, reason: error.reason }
    const corrupt = new CorruptLogError(damage, { cause: error })
    logChannels.corruption.publish({ log: this.#source.name, path, error: corrupt })
    return corrupt
  }
}

/**
 * How much is read at a place. Of much no more than is wanted, also where an index has led to a
 * batch before it: so answers take memory in few sizes, the same as requests of that size.
 */
function lengthOf(
  { position }: Place,
  limit: FilePosition,
  { maxBytes }: ReadBytesOptions,
  leastBytes: number,
): number {
  const wanted = Math.max(maxBytes, leastBytes, leastReadBytes)
  return Math.min(limit - position, wanted < slackBelowBytes ? wanted + slackBytes : wanted)
}

function memoryFor({ memory }: ReadBytesOptions, sizeBytes: number): Buffer {
  if (memory === undefined) return Buffer.allocUnsafeSlow(sizeBytes)
  const given = memory(sizeBytes)
  return given.length === sizeBytes ? given : given.subarray(0, sizeBytes)
}

/** What is visible is in the file. */
function whole(bytes: Buffer, count: number, position: FilePosition): Buffer {
  if (count === bytes.length) return bytes
  throw new CorruptBatchError('the file ends before the data', position + count)
}

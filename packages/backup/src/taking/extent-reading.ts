import type { File, FileSystem } from '@varve/log'
import {
  decodeSegmentDigest,
  readSmallFile,
  type SegmentDigest,
  SpineDigest,
  segmentDigestBytesMax,
} from '@varve/log/files'
import {
  type Batch,
  batchSizeAt,
  CorruptBatchError,
  crc32c,
  type Offset,
  readBatchAt,
  VarveError,
} from '@varve/record'
import { isFileProblem } from '../source/source-files.ts'
import type { ExtentResult, ExtentTask, SegmentProgress } from './extent-task.ts'

/** An extent as it was found. Its content stays until the next one is read. */
export type FoundExtent = Omit<ExtentResult, 'id' | 'file'> & {
  readonly isCompressed: boolean
  readonly content: Buffer
}

/** Of what was last read: one extent after the other uses it again. */
let memory: Buffer = Buffer.alloc(0)

/** Larger batches are believed only when their checksum is right: then memory is made for them. */
const unprovenBytesMax = 32 * 2 ** 20
const chunkBytes = 2 ** 20

/** Reads the next extent of a segment and checks what is in it. */
export function readExtent(fs: FileSystem, file: File, task: ExtentTask): FoundExtent {
  if (memory.length > 2 * Math.max(task.objectBytes, unprovenBytesMax)) memory = Buffer.alloc(0)
  return task.isRaw ? readRaw(file, task) : new ExtentReading(fs, file, task).run()
}

function readRaw(file: File, { position, limit, objectBytes }: ExtentTask): FoundExtent {
  const sizeBytes = fill(file, position, Math.min(objectBytes, limit - position), 0)
  return {
    content: memory.subarray(0, sizeBytes),
    sizeBytes,
    isEnd: position + sizeBytes >= limit || sizeBytes === 0,
    recordBatches: 0,
    maxTimestamp: -1,
    damage: null,
    progress: null,
    isCompressed: false,
  }
}

class ExtentReading {
  readonly #fs: FileSystem
  readonly #file: File
  readonly #task: ExtentTask
  readonly #progress: SegmentProgress | null
  readonly #spine: SpineDigest | null
  #nextOffset: Offset
  /** Behind the last batch that was checked, and behind what was read; from `position` on. */
  #at = 0
  #filled = 0
  #recordBatches = 0
  #maxTimestamp = -1
  #isCompressed = false

  constructor(fs: FileSystem, file: File, task: ExtentTask) {
    this.#fs = fs
    this.#file = file
    this.#task = task
    this.#progress = task.progress ?? null
    this.#nextOffset = this.#progress?.nextOffset ?? 0
    const start = this.#progress?.spine ?? null
    this.#spine = start && new SpineDigest(start)
  }

  run(): FoundExtent {
    const { position, limit, objectBytes } = this.#task
    this.#filled = fill(this.#file, position, Math.min(objectBytes, limit - position), 0)
    try {
      for (;;) {
        if (this.#isBehindLast()) return this.#end()
        const batch = this.#nextBatch()
        if (batch === null) return this.#found(false)
        if (!this.#isSealed && batch.baseOffset >= this.#task.endOffset) return this.#end()
        this.#take(batch)
      }
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      return this.#found(false, error.message)
    }
  }

  /** Of the next batch, in the file. */
  get #position(): number {
    return this.#task.position + this.#at
  }

  get #isSealed(): boolean {
    return this.#progress?.isSealed === true
  }

  /** A segment that grows has more behind its end, and perhaps half a batch. */
  #isBehindLast(): boolean {
    const { position, limit, endOffset } = this.#task
    if (position + this.#at === limit) return true
    return !this.#isSealed && this.#nextOffset >= endOffset
  }

  /** Null when the extent is full. */
  #nextBatch(): Batch | null {
    const { position, limit, objectBytes } = this.#task
    for (;;) {
      const at = this.#at
      const size = batchSizeAt(memory, at, this.#filled, position + at)
      const left = limit - position - at
      if (size !== null && size > left) this.#refuseCut(size, left)
      if (size !== null && at + size <= this.#filled) {
        return readBatchAt(memory, at, at + size, position + at)
      }
      if (at > 0 && position + this.#filled < limit) return null
      // The first batch is larger than an object, or the file ends before the batch does.
      if (size !== null && size > unprovenBytesMax) this.#prove(size)
      const wanted = Math.min(limit - position, Math.max(size ?? 0, objectBytes))
      const before = this.#filled
      this.#filled = fill(this.#file, position, wanted, before)
      if (this.#filled === before) this.#refuseCut(size, this.#filled - at)
    }
  }

  #refuseCut(size: number | null, there: number): never {
    const batch = size === null ? 'a batch' : `a batch of ${size} bytes`
    throw new CorruptBatchError(`${batch} is cut off after ${there}`, this.#position)
  }

  /** Its length may be damaged: memory is not given on its word. */
  #prove(size: number): void {
    const start = this.#task.position + this.#at
    const chunk = Buffer.allocUnsafe(chunkBytes)
    let crc = 0
    for (let at = 21; at < size; at += chunkBytes) {
      const part = chunk.subarray(0, Math.min(chunkBytes, size - at))
      if (this.#file.readSync(part, start + at) < part.length) this.#refuseCut(size, at)
      crc = crc32c(part, crc)
    }
    if (memory.readInt8(this.#at + 16) === 2 && memory.readUInt32BE(this.#at + 17) === crc) return
    throw new CorruptBatchError(`its ${size} bytes have a wrong checksum`, this.#position)
  }

  #take(batch: Batch): void {
    batch.validate()
    const { baseOffset, lastOffset } = batch
    // No checksum of its own covers where a batch belongs.
    if (this.#progress !== null && baseOffset < this.#nextOffset) {
      const reason = `its offset ${baseOffset} follows ${this.#nextOffset - 1}`
      throw new CorruptBatchError(reason, this.#position)
    }
    if (this.#isSealed && lastOffset >= this.#task.endOffset) {
      const reason = `it reaches offset ${lastOffset}, beyond its segment`
      throw new CorruptBatchError(reason, this.#position)
    }
    if (this.#at === 0) this.#isCompressed = batch.compressionType !== 'none'
    this.#spine?.add(memory, this.#at)
    this.#nextOffset = lastOffset + 1
    this.#recordBatches++
    this.#maxTimestamp = Math.max(this.#maxTimestamp, batch.maxTimestamp)
    this.#at += batch.sizeBytes
  }

  #end(): FoundExtent {
    const { endOffset } = this.#task
    // What no checksum covers, where a batch belongs, may hide the rest of a segment that grows.
    if (!this.#isSealed && this.#progress !== null && this.#nextOffset < endOffset) {
      const reason = `no batch follows offset ${this.#nextOffset - 1}, the log goes to ${endOffset}`
      return this.#found(false, reason)
    }
    return this.#found(true, this.#isAsSealed() ? null : 'it is not as it was when it was sealed')
  }

  #isAsSealed(): boolean {
    const { digestPath = null } = this.#progress ?? {}
    if (this.#spine === null || digestPath === null || !this.#isSealed) return true
    const digest = readDigest(this.#fs, digestPath)
    // Of another generation it says nothing.
    if (digest === null || digest.sizeBytes !== this.#task.limit || this.#isReplaced(digestPath))
      return true
    return digest.batches === this.#spine.batches && digest.spineCrc32c === this.#spine.value
  }

  /** Whether the segment beside the digest is not the one that is read. */
  #isReplaced(digestPath: string): boolean {
    const beside = this.#fs.stat(digestPath.replace(/digest$/, 'log'))
    return beside?.fileId !== this.#task.fileId
  }

  #found(isEnd: boolean, reason: string | null = null): FoundExtent {
    const { position } = this.#task
    const spine = this.#spine && { crc: this.#spine.value, batches: this.#spine.batches }
    return {
      content: memory.subarray(0, this.#at),
      sizeBytes: this.#at,
      isEnd,
      recordBatches: this.#recordBatches,
      maxTimestamp: this.#maxTimestamp,
      damage: reason === null ? null : { position: position + this.#at, reason },
      progress: this.#progress && { ...this.#progress, nextOffset: this.#nextOffset, spine },
      isCompressed: this.#isCompressed,
    }
  }
}

/** Null when there is none, or it cannot be read or is damaged itself: it says nothing then. */
function readDigest(fs: FileSystem, path: string): SegmentDigest | null {
  try {
    const bytes = readSmallFile(fs, path, segmentDigestBytesMax)
    return bytes && decodeSegmentDigest(bytes, path)
  } catch (error) {
    if (isFileProblem(error)) return null
    throw error
  }
}

/** Reads on behind what is there already. Returns how much is there then. */
function fill(file: File, position: number, wanted: number, there: number): number {
  if (memory.length < wanted) {
    const larger = Buffer.allocUnsafeSlow(wanted)
    memory.copy(larger, 0, 0, there)
    memory = larger
  }
  const rest = memory.subarray(there, wanted)
  return there + file.readSync(rest, position + there)
}

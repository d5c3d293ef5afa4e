import type { File, FileSystem } from '@varve/log'
import { type LogIndexing, scanBatches, segmentFileName } from '@varve/log/files'
import { type Batch, type Offset, readBatches } from '@varve/record'
import { CorruptRepositoryError } from '../base/backup-errors.ts'
import type { StoredExtent, StoredSegment } from '../format/partition-list.ts'
import type { LentContent } from '../reading/object-reader.ts'
import { cutBatches } from './cut-batches.ts'
import { RestoreRefusedError } from './restore-errors.ts'
import { writeAll } from './whole-files.ts'

export interface SegmentWriteContext {
  readonly fs: FileSystem
  /** The extents of a segment are asked for in order; what it gives is released. */
  readonly read: (extent: StoredExtent) => Promise<LentContent>
  /** Whether bytes that were damaged in the source are restored as they were found. */
  readonly allowsDamage: boolean
  readonly signal: AbortSignal | null
  readonly advanced: (bytes: number) => void
}

/** A segment whose `.log` is there, and not durable before it is finished. */
export interface BroughtSegment {
  /** The offset after its last batch; null where it holds none, or damage, or is a copy. */
  readonly next: Offset | null
  /** Makes it durable but for its name. Where that fails nothing is left of it. */
  finish(): Promise<void>
}

/** Large enough for `utimes`, and past every clock. */
const modifiedMsMax = 2 ** 47

/** So much is flushed while more is brought. */
const flushedBytes = 64 * 2 ** 20

/**
 * Writes a segment's `.log`, up to before `end`, and shows every batch to whoever makes indexes.
 * What is half-written when it rejects is removed.
 */
export async function writeSegment(
  context: SegmentWriteContext,
  directory: string,
  segment: StoredSegment,
  end: Offset,
  indexing: LogIndexing | null,
): Promise<BroughtSegment> {
  const { fs, allowsDamage } = context
  const { baseOffset, damage } = segment
  if (damage !== null && !allowsDamage) {
    throw new RestoreRefusedError(
      `segment ${baseOffset} was damaged in the source: ${damage.reason}`,
      'restore another backup, leave the partition out, or allow damage and repair it then',
    )
  }
  const path = `${directory}/${segmentFileName(baseOffset, 'log')}`
  const written = new SegmentFile(fs, path, segment.modifiedMs)
  try {
    const next = await writeExtents(context, written, segment, end, indexing)
    return { next, finish: () => written.finish() }
  } catch (error) {
    await written.discard()
    throw error
  }
}

/** Shows the batches of a `.log` that is proven to whoever makes indexes. */
export async function indexSegment(
  fs: FileSystem,
  path: string,
  indexing: LogIndexing,
): Promise<void> {
  const file = fs.open(path, 'read')
  try {
    const visit = (batch: Batch): boolean => {
      indexing.add(batch)
      return true
    }
    const { stop, reason } = await scanBatches(file, visit, { validate: false })
    if (stop !== 'end') throw new CorruptRepositoryError(path, reason ?? 'it was changed')
  } finally {
    file.close()
  }
}

/** A file that grows, and is flushed while it does. */
class SegmentFile {
  readonly #fs: FileSystem
  readonly #file: File
  readonly #modifiedMs: number
  #sizeBytes = 0
  #flushedTo = 0
  #flush: Promise<void> | null = null

  constructor(fs: FileSystem, path: string, modifiedMs: number) {
    this.#fs = fs
    this.#file = fs.open(path, 'create')
    this.#modifiedMs = modifiedMs
  }

  async append(bytes: Buffer): Promise<void> {
    await writeAll(this.#file, bytes, this.#sizeBytes)
    this.#sizeBytes += bytes.length
    if (this.#sizeBytes - this.#flushedTo < flushedBytes) return
    // The one before may have failed: then nothing more is written.
    await this.#flush
    this.#flushedTo = this.#sizeBytes
    this.#flush = this.#file.datasync()
    this.#flush.catch(() => undefined)
  }

  async finish(): Promise<void> {
    try {
      await this.#flush
      await this.#file.datasync()
    } catch (error) {
      // After a failed flush it would look whole, and not be durable.
      await this.discard()
      throw error
    }
    this.#file.close()
    const isTime = this.#modifiedMs > 0 && this.#modifiedMs < modifiedMsMax
    if (isTime) this.#fs.setModifiedTime(this.#file.path, this.#modifiedMs)
  }

  async discard(): Promise<void> {
    await this.#flush?.catch(() => undefined)
    this.#file.close()
    await this.#fs.remove(this.#file.path).catch(() => undefined)
  }
}

async function writeExtents(
  { read, signal, advanced }: SegmentWriteContext,
  file: SegmentFile,
  segment: StoredSegment,
  end: Offset,
  indexing: LogIndexing | null,
): Promise<Offset | null> {
  const { extents, damage, nextOffset } = segment
  const isCut = nextOffset > end && damage === null
  let next: Offset | null = null
  for (const extent of extents) {
    signal?.throwIfAborted()
    const lent = await read(extent)
    try {
      const before = next
      const reached = isCut ? nextAfter(lent.bytes, segment, before) : null
      const isLast = reached !== null && reached >= end
      const kept = isLast ? cutBatches(lent.bytes, end) : lent.bytes
      const writing = file.append(kept)
      // It is waited for in any case: the memory is needed until then.
      writing.catch(() => undefined)
      try {
        if (damage === null) next = nextAfter(kept, segment, before, indexing)
      } finally {
        await writing
      }
      advanced(lent.bytes.length)
      if (isLast) return next
    } finally {
      lent.release()
    }
  }
  return next
}

/** The offset after the last batch. Offsets must rise and be the segment's. */
function nextAfter(
  content: Buffer,
  segment: StoredSegment,
  before: Offset | null,
  indexing: LogIndexing | null = null,
): Offset | null {
  let next = before
  for (const batch of readBatches(content)) {
    if (firstOf(batch) < (next ?? segment.baseOffset) || batch.nextOffset > segment.nextOffset) {
      const range = `${segment.baseOffset} to ${segment.nextOffset}`
      const reason = `it has offset ${batch.lastOffset} out of its place in ${range}`
      throw new CorruptRepositoryError(`segment ${segment.baseOffset}`, reason)
    }
    next = batch.nextOffset
    indexing?.add(batch)
  }
  return next
}

/** The base offset of a compressed batch of the old formats is inside; its last offset is not. */
function firstOf(batch: Batch): Offset {
  return batch.magic === 2 ? batch.baseOffset : batch.lastOffset
}

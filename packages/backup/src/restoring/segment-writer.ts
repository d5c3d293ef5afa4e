import type { File, FileSystem } from '@varve/log'
import { segmentFileName } from '@varve/log/files'
import { type Batch, type Offset, readBatches } from '@varve/record'
import { CorruptRepositoryError } from '../base/backup-errors.ts'
import type { StoredSegment } from '../format/partition-list.ts'
import type { ObjectReader } from '../reading/object-reader.ts'
import { cutBatches } from './cut-batches.ts'
import { RestoreRefusedError } from './restore-errors.ts'

export interface SegmentRestoreContext {
  readonly fs: FileSystem
  readonly reader: ObjectReader
  /** Of the manifest. */
  readonly sets: readonly string[]
  /** Whether bytes that were damaged in the source are restored as they were found. */
  readonly allowsDamage: boolean
  readonly signal: AbortSignal | null
  readonly advanced: (bytes: number) => void
}

/** Large enough for `utimes`, and past every clock. */
const modifiedMsMax = 2 ** 47

/**
 * Writes a segment's `.log`, up to before `end`, durably. Resolves to the offset after its last
 * batch, null where it holds none, or damage. What is half-written when it rejects is removed.
 */
export async function writeSegment(
  context: SegmentRestoreContext,
  directory: string,
  segment: StoredSegment,
  end: Offset,
): Promise<Offset | null> {
  const { fs, allowsDamage } = context
  const { baseOffset, damage, modifiedMs } = segment
  if (damage !== null && !allowsDamage) {
    throw new RestoreRefusedError(
      `segment ${baseOffset} was damaged in the source: ${damage.reason}`,
      'restore another backup, leave the partition out, or allow damage and repair it then',
    )
  }
  const path = `${directory}/${segmentFileName(baseOffset, 'log')}`
  const file = fs.open(path, 'create')
  let next: Offset | null
  try {
    next = await writeExtents(context, file, segment, end)
    await file.datasync()
  } catch (error) {
    file.close()
    // After a failed flush it would look whole, and not be durable.
    await fs.remove(path).catch(() => undefined)
    throw error
  }
  file.close()
  if (modifiedMs > 0 && modifiedMs < modifiedMsMax) fs.setModifiedTime(path, modifiedMs)
  return next
}

async function writeExtents(
  { reader, sets, signal, advanced }: SegmentRestoreContext,
  file: File,
  segment: StoredSegment,
  end: Offset,
): Promise<Offset | null> {
  const { extents, damage, nextOffset } = segment
  const isCut = nextOffset > end && damage === null
  const read = (index: number): Promise<Uint8Array> | null => {
    const extent = extents[index]
    if (extent === undefined) return null
    const content = reader.read(sets[segment.set] ?? '', extent, damage === null)
    // It is read ahead; when nobody comes for it, its failure is nobody's.
    content.catch(() => undefined)
    return content
  }
  let position = 0
  let next: Offset | null = null
  let ahead = read(0)
  for (let index = 0; ahead !== null; index++) {
    signal?.throwIfAborted()
    const bytes = await ahead
    ahead = read(index + 1)
    const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const before = next
    if (damage === null) next = nextAfter(content, segment, next)
    const isLast = isCut && next !== null && next >= end
    const kept = isLast ? cutBatches(content, end) : content
    await writeAll(file, kept, position)
    position += kept.length
    advanced(bytes.byteLength)
    if (isLast) return nextAfter(kept, segment, before)
  }
  return next
}

/** The offset after the last batch. Offsets must rise and be the segment's. */
function nextAfter(content: Buffer, segment: StoredSegment, before: Offset | null): Offset | null {
  let next = before
  for (const batch of readBatches(content)) {
    if (firstOf(batch) < (next ?? segment.baseOffset) || batch.nextOffset > segment.nextOffset) {
      const range = `${segment.baseOffset} to ${segment.nextOffset}`
      const reason = `it has offset ${batch.lastOffset} out of its place in ${range}`
      throw new CorruptRepositoryError(`segment ${segment.baseOffset}`, reason)
    }
    next = batch.nextOffset
  }
  return next
}

/** The base offset of a compressed batch of the old formats is inside; its last offset is not. */
function firstOf(batch: Batch): Offset {
  return batch.magic === 2 ? batch.baseOffset : batch.lastOffset
}

async function writeAll(file: File, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const count = await file.write(bytes.subarray(written), position + written)
    if (count === 0) throw Object.assign(new Error(`no progress in ${file.path}`), { code: 'EIO' })
    written += count
  }
}

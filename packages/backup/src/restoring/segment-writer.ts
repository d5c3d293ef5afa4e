import type { FileSystem } from '@varve/log'
import { segmentFileName } from '@varve/log/files'
import { type Offset, readBatches } from '@varve/record'
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

/**
 * Writes a segment's `.log`, up to before `end`, durably. Resolves to the offset after its last
 * batch, null where it holds none.
 */
export async function writeSegment(
  context: SegmentRestoreContext,
  directory: string,
  segment: StoredSegment,
  end: Offset,
): Promise<Offset | null> {
  const { fs, reader, sets, allowsDamage, signal } = context
  if (segment.damage !== null && !allowsDamage) {
    throw new RestoreRefusedError(
      `segment ${segment.baseOffset} was damaged in the source: ${segment.damage.reason}`,
      'restore another backup, leave the partition out, or allow damage and repair it then',
    )
  }
  const file = fs.open(`${directory}/${segmentFileName(segment.baseOffset, 'log')}`, 'create')
  let [position, next]: [number, Offset | null] = [0, null]
  try {
    let ahead = readExtent(0)
    for (let index = 0; ahead !== null; index++) {
      signal?.throwIfAborted()
      const bytes = await ahead
      ahead = readExtent(index + 1)
      const content = bufferOf(bytes)
      const isCut = segment.nextOffset > end && segment.damage === null
      const kept = isCut ? cutBatches(content, end) : content
      for (let written = 0; written < kept.length; ) {
        written += await file.write(kept.subarray(written), position + written)
      }
      position += kept.length
      if (segment.damage === null) next = lastOffsetOf(kept) ?? next
      context.advanced(bytes.byteLength)
      if (kept.length < content.length) break
    }
    await file.datasync()
  } finally {
    file.close()
  }
  if (segment.modifiedMs > 0) fs.setModifiedTime(file.path, segment.modifiedMs)
  return next

  function readExtent(index: number): Promise<Uint8Array> | null {
    const extent = segment.extents[index]
    if (extent === undefined) return null
    const content = reader.read(sets[segment.set] ?? '', extent, segment.damage === null)
    content.catch(() => undefined)
    return content
  }
}

function lastOffsetOf(content: Buffer): Offset | null {
  let next: Offset | null = null
  for (const batch of readBatches(content)) next = batch.nextOffset
  return next
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

import { type Batch, type Offset, readBatches } from '@varve/record'
import { CorruptRepositoryError } from '../base/backup-errors.ts'
import type { PartitionList, StoredSegment } from '../format/partition-list.ts'
import type { ObjectReader } from './object-reader.ts'

/** A partition in a backup. */
export interface StoredLog {
  /** Of the manifest. */
  readonly sets: readonly string[]
  readonly list: PartitionList
}

export interface StoredBatchesOptions {
  /** The first offset that is wanted; the batch that holds it comes whole. @defaultValue 0 */
  readonly from?: Offset
  /** Leaves segments out. @defaultValue none */
  readonly skips?: (segment: StoredSegment) => boolean
}

/**
 * The batches of a partition in a backup, in order, without restoring it. A batch is valid until
 * the next one is asked for. Rejects as ObjectReader does, and with CorruptRepositoryError where
 * the source was damaged already.
 */
export async function* storedBatches(
  reader: ObjectReader,
  { sets, list }: StoredLog,
  { from = 0, skips = () => false }: StoredBatchesOptions = {},
): AsyncGenerator<Batch, void, undefined> {
  const segments = list.segments.filter((segment) => segment.nextOffset > from && !skips(segment))
  for (const segment of segments) {
    if (segment.damage !== null) {
      const place = `${list.topic}-${list.partition}, offsets ${segment.baseOffset} and on`
      throw new CorruptRepositoryError(place, `damaged in the source: ${segment.damage.reason}`)
    }
    const extents = [...segment.extents]
    const read = (index: number): Promise<Uint8Array> | null => {
      const extent = extents[index]
      if (extent === undefined) return null
      const content = reader.read(sets[segment.set] ?? '', extent, true)
      // It is read ahead; when nobody comes for it, its failure is nobody's.
      content.catch(() => undefined)
      return content
    }
    let ahead = read(0)
    for (let index = 0; ahead !== null; index++) {
      const content = await ahead
      ahead = read(index + 1)
      for (const batch of readBatches(
        Buffer.from(content.buffer, content.byteOffset, content.byteLength),
      )) {
        if (batch.nextOffset > from) yield batch
      }
    }
  }
}

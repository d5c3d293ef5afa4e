import { type Batch, type Offset, readBatches } from '@varve/record'
import { CorruptRepositoryError } from '../base/backup-errors.ts'
import type { PartitionList, StoredSegment } from '../format/partition-list.ts'
import type { LentContent, ObjectReader } from './object-reader.ts'

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
    yield* segmentBatches(reader, sets[segment.set] ?? '', segment, from)
  }
}

/** One object is read ahead. Memory is used again as soon as its batches were looked at. */
async function* segmentBatches(
  reader: ObjectReader,
  set: string,
  { extents }: StoredSegment,
  from: Offset,
): AsyncGenerator<Batch, void, undefined> {
  const begin = (index: number): Promise<LentContent> | null => {
    const extent = extents[index]
    if (extent === undefined) return null
    const content = reader.borrow(set, extent, true)
    // When nobody comes for it, its failure is nobody's.
    content.catch(() => undefined)
    return content
  }
  let ahead = begin(0)
  try {
    for (let index = 1; ahead !== null; index++) {
      const lent: LentContent = await ahead
      ahead = begin(index)
      try {
        for (const batch of readBatches(lent.bytes)) if (batch.nextOffset > from) yield batch
      } finally {
        lent.release()
      }
    }
  } finally {
    ahead?.then(
      (lent) => lent.release(),
      () => undefined,
    )
  }
}
